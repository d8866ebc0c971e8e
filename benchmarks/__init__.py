"""pyl's own benchmarks: its performance targets, and cases that only pyl needs. They are not part of the wheel."""
