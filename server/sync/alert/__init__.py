"""Alerts that reach people: one alert climbs its ladder until somebody answers, and every step is on record.

address   where a request may go: never to a private address unless the operator allowed it
notice    what is said, in the receiver's language
channel/  one small module a channel: web push, group robots, a signed webhook, e-mail
ground    what all jobs stand on
begin     a record asks                    climb     the ladder climbs
send      attempts go out                  answer    answers come in, phones are told
alerts    the jobs, and what the rest of the server may ask
"""
