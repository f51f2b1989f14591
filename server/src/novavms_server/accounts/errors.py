"""What can go wrong with accounts."""

from novavms_server.kit.errors import ApiError, Conflict, Forbidden


class InvalidCredentials(ApiError):
    status = 401
    code = "invalid_credentials"
    sentence = "The email or the password is wrong."


class AccountDisabled(ApiError):
    status = 403
    code = "account_disabled"
    sentence = "This account is disabled; ask an admin of your organization."


class EmailTaken(Conflict):
    sentence = "A user with this email exists already."


class ServiceAccountNameTaken(Conflict):
    sentence = "A service account of this name exists already."


class NominationOpen(Conflict):
    sentence = "A nomination is open already; withdraw it first."


class OwnerIsApart(Forbidden):
    sentence = "The owner can't be changed by others; ownership is transferred: POST /api/v1/orgs/current/owner-nomination"


class NotOnYourself(Forbidden):
    sentence = "You can't do this to your own account; ask another admin."


class UsersOnly(Forbidden):
    sentence = "This is for people with a session, not for API keys."
