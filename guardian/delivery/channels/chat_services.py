"""Chat and paging services whose addresses take only messages of their own form, which guardian's are not."""

from urllib.parse import urlsplit

from guardian.urls.addresses import host_is_under

# By domain. Teams has three kinds of addresses: connectors, and workflows of two generations.
_SERVICES = {
    "hooks.slack.com": "Slack",
    "webhook.office.com": "Microsoft Teams",
    "outlook.office.com": "Microsoft Teams",
    "logic.azure.com": "Microsoft Teams",
    "api.powerplatform.com": "Microsoft Teams",
    "discord.com": "Discord",
    "discordapp.com": "Discord",
    "chat.googleapis.com": "Google Chat",
    "webexapis.com": "Webex",
    "api.telegram.org": "Telegram",
    "open.feishu.cn": "Feishu",
    "open.larksuite.com": "Lark",
    "oapi.dingtalk.com": "DingTalk",
    "events.pagerduty.com": "PagerDuty",
}


def chat_service_at(url: str) -> str | None:
    """Return the name of the service that an address belongs to; None for any other receiver."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    return next((name for domain, name in _SERVICES.items() if host_is_under(host, domain)), None)


def own_body_text(service: str) -> str:
    """Return why a service refuses guardian's messages, and what to do, as a clause."""
    return (
        f"{service} takes only messages of its own form, not guardian's signed JSON; let a receiver of yours verify "
        "them and post to it, or make it a destination of kind chat (docs/webhooks.md, E-mail and chat)"
    )
