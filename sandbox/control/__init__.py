"""What the control APIs of the simulators have in common: how they are served, and the mishaps that each of them knows."""
