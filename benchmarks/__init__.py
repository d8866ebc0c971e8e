"""pyl's benchmarks of itself: its targets, and cases that only it needs. No part of the wheel."""
