import type { DType, TypedArray } from "../dtype.js";
import type { Tensor } from "../tensor.js";

/** A part of a program's memory that holds an argument or a result of a certain type and size. */
export interface Room {
  readonly address: number;
  readonly view: TypedArray;
  /** The number of the tensor whose values lie here; 0 for none. */
  ticket: number;
  taken: boolean;
}

/** The rooms of one type and size, any of which suits a port of these. */
type Suite = Room[];

const tickets = new WeakMap<Tensor, number>();
let issued = 0;

/** A number for each tensor. Weak references would keep tensors until a synchronous loop ends. */
function ticketOf(x: Tensor): number {
  const known = tickets.get(x);
  if (known !== undefined) return known;
  tickets.set(x, ++issued);
  return issued;
}

/**
 * Where large arguments and results of a program lie. An argument that lies there already, since it was an argument or
 * a result of the call before, is found again instead of copied: tensors do not change.
 */
export class Rooms {
  private readonly suites = new Map<string, Suite>();
  private readonly all: Room[] = [];

  /** A further room; gives those of its kind. */
  add(dtype: DType, address: number, view: TypedArray): Suite {
    const key = `${dtype} ${view.length}`;
    const suite = this.suites.get(key) ?? [];
    this.suites.set(key, suite);
    const room = { address, view, ticket: 0, taken: false };
    suite.push(room);
    this.all.push(room);
    return suite;
  }

  /** Makes all rooms free to be taken for a call; what lies in them is still found. */
  open(): void {
    for (const room of this.all) room.taken = false;
  }

  /** Takes the room where a tensor lies, if one does. */
  find(suite: Suite, x: Tensor): Room | undefined {
    const ticket = tickets.get(x);
    const room = ticket === undefined ? undefined : suite.find((r) => r.ticket === ticket);
    if (room !== undefined) room.taken = true;
    return room;
  }

  /** Takes a room for values that will be written into it. */
  take(suite: Suite): Room {
    const room = suite.find((r) => !r.taken) as Room;
    room.taken = true;
    room.ticket = 0;
    return room;
  }

  /** Says what lies in a room now. */
  note(room: Room, x: Tensor): void {
    room.ticket = ticketOf(x);
  }
}
