"""Work that is done ahead of whoever asks for it, by a thread beside, and never much too early."""

from collections.abc import Iterable
from queue import Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """The items of an iterable, in their order, some of them made before they are asked for. Closed after use."""

    def __init__(self, items: Iterable[Item], most: int, name: str) -> None:
        """Begin.

        Args:
            items: what is made; nobody else may ask them for anything.
            most: so many items wait at most.
            name: of the thread.
        """
        self._items = items
        self._error: BaseException | None = None
        self._made: Queue[tuple[Item] | None] = Queue(most)
        self._closed = Event()
        self._thread = Thread(target=self._make, name=name, daemon=True)
        self._thread.start()

    def _make(self) -> None:
        try:
            for item in self._items:
                self._made.put((item,))
                if self._closed.is_set():
                    return
        except BaseException as error:  # raised again where the items are asked for
            self._error = error
        self._made.put(None)

    def take(self) -> Item | None:
        """The next item; None when there are no more.

        Raises:
            Whatever making it raised.
        """
        made = self._made.get()
        if made is not None:
            return made[0]
        self._made.put(None)
        if self._error is not None:
            raise self._error
        return None

    def close(self) -> None:
        """Stop, and wait until nothing is made any more."""
        self._closed.set()
        while self._thread.is_alive():
            while not self._made.empty():
                self._made.get_nowait()
            self._thread.join(0.01)
