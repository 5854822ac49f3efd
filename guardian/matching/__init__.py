"""Everything that looks at pixels: measures, and has no opinion. Runs inside worker processes."""
