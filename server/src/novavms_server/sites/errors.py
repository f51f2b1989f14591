"""What can go wrong with sites."""

from novavms_server.kit.errors import Conflict


class SiteNameTaken(Conflict):
    sentence = "A site of this name exists already."


class SiteInUse(Conflict):
    sentence = "The site still has cameras or gateways; move or delete them first."
