"""The data room: seeds, generated and translated rows, filters, replay, corpus, and the training mixture."""
