"""What each command does and prints; `alif.cli` says how it is typed."""
