"""Signs and sends what is due, and settles it afterwards; knows nothing of cases."""
