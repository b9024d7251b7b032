"""What a declaration alone cannot say: one folder a module, found by the app. None knows another."""
