import type { OpenQuestion } from './open-question.ts';
import type { RequestState } from './request-state.ts';

/** A thread, goroutine or task that does things and writes replies. */
export class AnsweringUnit {
  /** What it has done since it wrote a reply. */
  acts: OpenQuestion[] = [];
  /** Its last write of a reply; -1 for none that is known. */
  wroteNs = -1;
  /** Nothing that it does belongs to something that began unseen. */
  isFollowed: boolean;
  /** The request of which it began the reply last. */
  current: RequestState | null = null;
  /** It comes back from epoll_wait: then what it writes tells nothing about what it does. */
  isLoop = false;

  constructor(isFollowed: boolean) {
    this.isFollowed = isFollowed;
  }
}
