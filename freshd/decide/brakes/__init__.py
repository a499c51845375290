"""The brakes that know what came of earlier steps: what failed, and what came back."""
