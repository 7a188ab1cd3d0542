"""Feed polling, manners and safety on the net."""
