"""Roles that write together, and the engines that drive them."""
