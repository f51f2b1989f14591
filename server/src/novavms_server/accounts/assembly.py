"""The services of accounts, made together: they share passwords, tokens and grants."""

from __future__ import annotations

from typing import NamedTuple

from novavms_server.accounts.attempts import Attempts
from novavms_server.accounts.authenticator import TokenAuthenticator
from novavms_server.accounts.grants import Grants, HoldSite
from novavms_server.accounts.login.service import LoginService
from novavms_server.accounts.orgs.service import OrgService
from novavms_server.accounts.passwords import Passwords
from novavms_server.accounts.service_accounts.service import ServiceAccountService
from novavms_server.accounts.tokens import Tokens
from novavms_server.accounts.users.service import UserService
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.pages import Cursors
from novavms_server.kit.seal import Sealer


class Accounts(NamedTuple):
    authenticator: TokenAuthenticator
    login: LoginService
    users: UserService
    service_accounts: ServiceAccountService
    orgs: OrgService


def build_accounts(
    database: Database, clock: Clock, sealer: Sealer, cursors: Cursors, hold_site: HoldSite
) -> Accounts:
    tokens = Tokens(access_key=sealer.derive("access-tokens"), refresh_key=sealer.derive("refresh-tokens"))
    passwords = Passwords()
    grants = Grants(hold_site)
    attempts = Attempts(database, clock, sealer.derive("login-attempts"))
    return Accounts(
        authenticator=TokenAuthenticator(database, clock, tokens),
        login=LoginService(database, clock, passwords, tokens, attempts),
        users=UserService(cursors, passwords, grants),
        service_accounts=ServiceAccountService(cursors, grants),
        orgs=OrgService(),
    )
