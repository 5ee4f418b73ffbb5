"""The sign-on servers that the settings name; a site without any loads none of their code."""

from eop import sign_on_settings
from eop.aaa.authenticators.base import SingleSignOn
from eop.settings import SiteSettings


def single_sign_on(site: SiteSettings) -> tuple[SingleSignOn, ...]:
    """In the order of their buttons; raises `SettingsError`."""
    found: list[SingleSignOn] = []
    if site.CAS_URL:
        found.append(_cas(site))
    if site.OIDC_ISSUER:
        found.append(_oidc(site))
    return tuple(found)


def _cas(site: SiteSettings) -> SingleSignOn:
    from eop.aaa.authenticators.cas import CasServer, CasSignOn

    return CasSignOn(
        CasServer(
            url=site.CAS_URL,
            version=site.CAS_VERSION,
            login_attribute=site.CAS_LOGIN_ATTRIBUTE,
            ca_file=site.CAS_CA_FILE,
            label=site.CAS_LABEL,
        )
    )


def _oidc(site: SiteSettings) -> SingleSignOn:
    from eop.aaa.authenticators.oidc import Client, OidcSignOn
    from eop.aaa.authenticators.oidc_provider import Provider

    client = Client(
        id=site.OIDC_CLIENT_ID,
        secret=sign_on_settings.client_secret(site),
        scopes=tuple(site.OIDC_SCOPES),
        login_claim=site.OIDC_LOGIN_CLAIM,
        email_verified=site.OIDC_EMAIL_VERIFIED,
        label=site.OIDC_LABEL,
    )
    return OidcSignOn(Provider(site.OIDC_ISSUER, site.OIDC_CA_FILE), client)
