"""What is computed from one picture: pixels, hashes, keypoints, windows, a descriptor, and the fingerprint of all."""
