"""What every room shares: configurations, sites, neighbours and errors."""
