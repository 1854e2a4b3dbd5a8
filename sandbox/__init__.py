"""Stand-ins for outside services: wire-level simulators that run on one's own machine."""
