"""What the simulators of the Messages API and of claude.ai have in common: scripts, their texts, streams, the control API."""
