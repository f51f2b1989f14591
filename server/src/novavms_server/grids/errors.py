"""What can go wrong with grids."""

from novavms_server.kit.errors import Conflict, Forbidden


class GridNameTaken(Conflict):
    sentence = "You have a grid of this name already."

    def __init__(self) -> None:
        super().__init__(extra={"details": [{"field": "name", "message": self.sentence}]})


class TooManyGrids(Conflict):
    sentence = "You have 100 grids already; delete one first."


class NotYourGrid(Forbidden):
    sentence = "Only who made this grid, and admins, may change or delete it."


class ViewersDontShare(Forbidden):
    sentence = "Viewers can't share grids; ask an operator of your organization."
