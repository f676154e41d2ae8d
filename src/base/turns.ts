/**
 * Which side of a conversation is lost, where bytes of it were not captured: questions in runs, and answers that come in
 * their order. A side is lost from a gap until something of it begins like a message. Lost answers are never made up
 * for; but once the client goes on asking, it has got them.
 */
export class Turns {
  /** Where the client's next message begins is not known. */
  isClientLost = false;
  isServerLost = false;
  /** The server's next bytes may be the rest of a lost message. */
  isServerUnsure: boolean;
  /** The server has said something since the client's last bytes: what the client says now is a new run. */
  #isServersTurn = false;
  /** The server has said nothing since the client was lost: its replies to unseen questions are still to come. */
  #isSilentSinceLoss = false;

  /** @param isServerUnsure whether its first bytes may be the middle of a message */
  constructor(isServerUnsure: boolean) {
    this.isServerUnsure = isServerUnsure;
  }

  /** Bytes of the client. @returns whether answers were lost before this new run: what was owed is not known any more */
  clientSpeaks(): boolean {
    const isOver = this.#isServersTurn && this.isServerLost;
    this.#isServersTurn = false;
    if (!isOver) return false;
    this.isServerLost = false;
    this.isServerUnsure = true;
    return true;
  }

  serverSpeaks(): void {
    this.#isServersTurn = true;
    this.#isSilentSinceLoss = false;
  }

  loseClient(): void {
    this.isClientLost = true;
    this.#isSilentSinceLoss = true;
  }

  /** A message of the client begins. Which reply belongs to which of those between is not known. */
  findClient(): void {
    this.isClientLost = false;
    if (this.#isSilentSinceLoss) this.isServerLost = true;
  }
}
