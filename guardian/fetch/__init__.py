"""Every request: `WebClient` visits addresses from anywhere, `TrustedClient` those that the owner configured."""
