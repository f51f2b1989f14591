"""What can go wrong with exports."""

from novavms_server.kit.errors import Conflict, NotFound


class ExportNotReady(Conflict):
    sentence = "The export is still being made; try again."


class NoExportFile(NotFound):
    sentence = "Nothing could be exported."
