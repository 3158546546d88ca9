"""What leaves a run: the merged model, its cards, and a way to talk to it. Light to import; the modules load what they need."""
