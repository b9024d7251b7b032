"""The people of the demo site, all of them invented: 40 on the big site, three on another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Fence = tuple[int, int, int]  # lat, lng in 1e-7 degrees, metres

PASSWORD: Final = "gongbu-demo"
ZONE: Final = "Asia/Shanghai"
SITE: Final = "滨江花园三期 2# 楼"
SITE_FENCE: Final[Fence] = (312_176_540, 1_215_432_100, 180)
OTHER_SITE: Final = "文化中心改造工程"
OTHER_FENCE: Final[Fence] = (312_861_200, 1_214_511_800, 120)


@dataclass(frozen=True, slots=True)
class Member:
    """`login` is the fixed name that somebody trying the demo signs in with."""

    name: str
    roles: tuple[str, ...] = ("worker",)
    login: str | None = None
    has_phone: bool = True
    clock_error_ms: int = 0


@dataclass(frozen=True, slots=True)
class Team:
    """`hours` are the stretches of a day; on `nights` (0 is Monday) it works that stretch instead."""

    name: str
    trade: str
    employer: str
    foreman: Member
    workers: tuple[Member, ...]
    hours: tuple[tuple[str, str], ...]
    nights: tuple[int, ...] = ()

    @property
    def everybody(self) -> tuple[Member, ...]:
        return (self.foreman, *self.workers)


NIGHT: Final = (("19:00", "23:30"), ("00:40", "04:10"))
AFTER_NIGHT: Final = (("13:00", "18:00"),)
BOSS: Final = ("foreman", "worker")
THREE_HOURS_FAST: Final = 3 * 60 * 60_000
SEVEN_MINUTES_SLOW: Final = -7 * 60_000


def workers(names: str, without_phone: str = "") -> tuple[Member, ...]:
    return tuple(Member(name, has_phone=name not in without_phone.split()) for name in names.split())


TEAMS: Final = (
    Team(
        "钢筋一班", "钢筋工", "江苏恒建劳务有限公司",
        Member("赵铁柱", BOSS, "foreman"),
        (
            Member("王小军", login="worker"),
            *workers("李满仓 孙大勇 周明远 吴春生 郑有田 冯德才 陈福根", "郑有田 陈福根"),
        ),
        (("07:00", "17:30"),),
    ),
    Team(
        "木工二班", "模板工", "安徽皖中建筑劳务有限公司",
        Member("褚卫东", BOSS),
        (
            Member("蒋文斌", clock_error_ms=THREE_HOURS_FAST),
            *workers("沈阿明 韩冬生 杨金锁 朱红兵 秦守业 许长河 何来顺", "杨金锁 何来顺"),
        ),
        (("06:30", "11:30"), ("13:00", "18:00")),
    ),
    Team(
        "混凝土班", "混凝土工", "江苏恒建劳务有限公司",
        Member("吕建设", BOSS),
        workers("施国良 张水根 孔祥林 曹满堂 严正发 华玉成 金大贵 魏喜娃", "张水根 曹满堂 魏喜娃"),
        (("07:00", "17:00"),),
        nights=(1, 4),
    ),
    Team(
        "架子班", "架子工", "浙江甬安脚手架工程有限公司",
        Member("陶高升", BOSS),
        (
            Member("姜立新", clock_error_ms=SEVEN_MINUTES_SLOW),
            *workers("戚永安 谢东升 邹志刚 喻大海 柏青松 水向阳", "水向阳"),
        ),
        (("07:00", "17:00"),),
    ),
)  # fmt: skip
OFFICE: Final = (
    Member("窦细妹", ("inspector",), "inspector"),
    Member("章秉公", ("supervisor",), "supervisor"),
    Member("云志远", ("manager",), "manager"),
    Member("苏晓兰", ("office",), "office"),
    Member("潘敏之", ("client",), "client"),
)
PLACES: Final = (("东大门", "EAST-7Q2M"), ("西侧门", "WEST-4KXA"), ("钢筋加工棚", "STEEL-9TD"))

OTHER_TEAM: Final = Team(
    "装修班", "抹灰工", "上海新颜装饰有限公司",
    Member("贺春雷", BOSS),
    workers("倪小妹"),
    (("07:30", "17:00"),),
)  # fmt: skip
STRANGER: Final = Member("罗四海", ("manager",), "stranger")
