"""The offline demo: the scripted teacher and the files that it answers from."""
