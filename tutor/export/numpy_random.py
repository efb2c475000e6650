"""NumPy's random numbers without NumPy: a PyTorch script has a copy of this class, so that it draws
the masks and the order of samples that the tutor draws, and needs nothing but PyTorch.
"""


class Random:
    """The numbers of np.random.default_rng([…]): PCG64, seeded as NumPy seeds it."""

    def __init__(self, *seeds: int) -> None:
        words = list(seeds) + [0] * (4 - len(seeds))
        self.factor = 0x43B0D7E5
        pool = [self.hashed(word, 0x931E8875) for word in words[:4]]
        for source in range(4):
            for place in range(4):
                if source != place:
                    mixed = self.hashed(pool[source], 0x931E8875)
                    mixed = 0xCA01F9DD * pool[place] - 0x4973F715 * mixed & 0xFFFFFFFF
                    pool[place] = mixed ^ mixed >> 16
        self.factor = 0x8B51F9DD
        seed = [self.hashed(pool[place % 4], 0x58F38DED) for place in range(8)]
        start, self.step = (
            (seed[k + 1] << 96) + (seed[k] << 64) + (seed[k + 3] << 32) + seed[k + 2]
            for k in (0, 4)
        )
        self.step = self.step << 1 | 1
        self.state = self.step + start
        self.half: list[int] = []
        self.next()

    def hashed(self, word: int, factor: int) -> int:
        """A word of 32 bits from another."""
        word ^= self.factor
        self.factor = self.factor * factor & 0xFFFFFFFF
        word = word * self.factor & 0xFFFFFFFF
        return word ^ word >> 16

    def next(self) -> int:
        """The next 64 bits."""
        self.state = self.state * 0x2360ED051FC65DA44385DF649FCCF645 + self.step & (1 << 128) - 1
        turn, word = self.state >> 122, (self.state >> 64 ^ self.state) & (1 << 64) - 1
        return (word >> turn | word << 64 - turn) & (1 << 64) - 1

    def random(self) -> float:
        """A number from 0 to below 1."""
        return (self.next() >> 11) / (1 << 53)

    def up_to(self, most: int) -> int:
        """A whole number from 0 to the most."""
        while True:
            if not self.half:
                word = self.next()
                self.half = [word >> 32, word & 0xFFFFFFFF]
            found = self.half.pop() & (1 << most.bit_length()) - 1
            if found <= most:
                return found

    def permutation(self, count: int) -> list[int]:
        """The numbers from 0 to below count in another order."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.up_to(last)
            order[last], order[other] = order[other], order[last]
        return order
