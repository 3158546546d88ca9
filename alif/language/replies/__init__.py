"""What a teacher's reply says: items, field labels, JSON."""
