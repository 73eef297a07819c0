"""What every function needs: errors, limits, settings, store, models, metering, telemetry."""
