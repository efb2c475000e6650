"""Students at their browsers, as a program of its own: `python -m tests.benchmarks.load KIND HOST
PORT CLIENTS SECONDS`

Raw sockets on one event loop, keep-alive. A list of paths comes in on stdin, one JSON object goes
out on stdout: {"milliseconds": [...], "errors": {...}, "seconds": s}.

    greedy   each client sends its next request as soon as the last one is answered
    class    each client clicks every 3 seconds, whether or not the last answer has come; waiting
             counts from the click
    opening  each client connects and opens its pages once, all within SECONDS
    idle     CLIENTS connections do nothing and 20 more send half a request, while one client works
             greedily
"""

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

CLICK_EVERY = 3.0
PATIENCE = 15.0
HALF_SENT = 20


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends a request and waits for its answer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[int] | None = None
        self.received = bytearray()
        self.wanted = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.wanted < 0:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.received[:end]).lower()
            self.wanted = end + 4 + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self.received) >= self.wanted and self.answer is not None and not self.answer.done():
            self.answer.set_result(int(self.received[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError("closed"))

    async def get(self, request: bytes) -> int:
        """The status of the answer."""
        assert self.transport is not None
        self.received.clear()
        self.wanted = -1
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await asyncio.wait_for(self.answer, PATIENCE)


class Load:
    """The clients of one run and what they met."""

    def __init__(
        self, host: str, port: int, clients: int, seconds: float, paths: Sequence[str]
    ) -> None:
        self.host, self.port, self.clients, self.seconds = host, port, clients, seconds
        head = f" HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: keep-alive\r\n"
        self.pages = [f"GET {path}{head}\r\n".encode() for path in paths]
        self.fragments = [f"GET {path}{head}HX-Request: true\r\n\r\n".encode() for path in paths]
        self.waited: list[float] = []
        self.errors: Counter[str] = Counter()
        self.random = random.Random(0)

    async def connect(self) -> Connection:
        _, made = await asyncio.wait_for(
            asyncio.get_running_loop().create_connection(Connection, self.host, self.port), PATIENCE
        )
        return made

    async def ask(self, connection: Connection, request: bytes, since: float) -> None:
        """One request; the time from `since` to the answer counts."""
        status = await connection.get(request)
        self.waited.append(time.perf_counter() - since)
        if status != 200:
            self.errors[str(status)] += 1

    async def each(self, client: Callable[[int], Awaitable[None]], count: int) -> None:
        """Run one coroutine per client; whatever breaks is counted."""

        async def guarded(number: int) -> None:
            try:
                await client(number)
            except (TimeoutError, OSError, ValueError) as error:
                self.errors[type(error).__name__] += 1

        await asyncio.gather(*(guarded(number) for number in range(count)))

    async def greedy(self, clients: int | None = None) -> None:
        begin, apart = time.perf_counter(), len(self.fragments) // (clients or self.clients) or 1

        async def client(number: int) -> None:
            connection = await self.connect()
            turn = number * apart
            while time.perf_counter() - begin < self.seconds:
                await self.ask(
                    connection, self.fragments[turn % len(self.fragments)], time.perf_counter()
                )
                turn += 1

        await self.each(client, clients or self.clients)

    async def classroom(self) -> None:
        begin = time.perf_counter()

        async def client(number: int) -> None:
            click, turn = begin + self.random.random() * CLICK_EVERY, number
            await asyncio.sleep(click - time.perf_counter())
            connection = await self.connect()
            while click < begin + self.seconds:
                await asyncio.sleep(max(0.0, click - time.perf_counter()))
                await self.ask(connection, self.fragments[turn % len(self.fragments)], click)
                click, turn = click + CLICK_EVERY, turn + 1

        await self.each(client, self.clients)

    async def opening(self) -> None:
        begin = time.perf_counter()

        async def client(number: int) -> None:
            click = begin + self.random.random() * self.seconds
            await asyncio.sleep(click - time.perf_counter())
            connection = await self.connect()
            for page in self.pages:
                await connection.get(page)
            self.waited.append(time.perf_counter() - click)

        await self.each(client, self.clients)

    async def idle(self) -> None:
        kept: list[Connection] = []  # or they would be closed

        async def client(number: int) -> None:
            connection = await self.connect()
            if number < HALF_SENT:
                assert connection.transport is not None
                connection.transport.write(self.fragments[0][:40])
            kept.append(connection)

        for begin in range(0, self.clients + HALF_SENT, 100):
            await self.each(client, min(100, self.clients + HALF_SENT - begin))
        await self.greedy(1)


def main(kind: str, host: str, port: str, clients: str, seconds: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 8192), hard)
    )
    load = Load(host, int(port), int(clients), float(seconds), json.load(sys.stdin))
    kinds = {
        "greedy": load.greedy,
        "class": load.classroom,
        "opening": load.opening,
        "idle": load.idle,
    }
    begin = time.perf_counter()
    asyncio.run(kinds[kind]())
    taken = time.perf_counter() - begin
    print(
        json.dumps(
            {
                "milliseconds": [1e3 * t for t in load.waited],
                "errors": +load.errors,
                "seconds": taken,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
