"""What a training takes: memory, FLOPs, hours, money. Light: loads no torch."""
