"""Notices to operators and hosts: drafted from cases, approved, recorded as sent. guardian sends none itself."""
