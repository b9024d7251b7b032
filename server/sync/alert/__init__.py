"""Alerts that reach people: one alert climbs its ladder until somebody answers, and every step is on record.

address   where a request may go: never to a private address unless the operator allowed it
notice    what is said, in the receiver's language
channel/  one small module a channel: web push, group robots, a signed webhook, e-mail
alerts    the jobs: a record asks, the ladder climbs, attempts are sent and written down
"""
