"""How good a student is: benchmarks, their measurements, and whether two students differ."""
