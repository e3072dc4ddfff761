"""Benchmarks, side by side with peers in one run where there are any; never timed tests."""
