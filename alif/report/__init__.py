"""What a run says: report page, cards, data set. Reads run folders only, loads no torch."""
