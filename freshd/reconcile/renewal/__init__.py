"""What new containers of a service would cost, looked for before they are made."""
