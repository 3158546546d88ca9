"""Training: packed rows, a loss over labelled tokens only, and a Trainer that resumes to the bit."""
