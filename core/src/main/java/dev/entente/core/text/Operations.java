// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

/**
 * What each event did, in runs: typing forward, deleting forward and deleting backward each make
 * one run of many events. Positions are those that the author saw. Not thread-safe.
 */
final class Operations {
  static final int INSERT = 0;
  static final int DELETE_FORWARD = 1;
  static final int DELETE_BACKWARD = 2;

  private final IntArray starts = new IntArray();

  /** The position of the run's first event. */
  private final IntArray positions = new IntArray();

  private final IntArray kinds = new IntArray();

  /** For insertions where their items are in {@link #content}; else 0. */
  private final IntArray offsets = new IntArray();

  private final ItemBuffer content = new ItemBuffer();
  private int end;

  /** The number of events. */
  int size() {
    return end;
  }

  int runs() {
    return starts.size();
  }

  ItemBuffer content() {
    return content;
  }

  int start(int run) {
    return starts.get(run);
  }

  int end(int run) {
    return run + 1 < starts.size() ? starts.get(run + 1) : end;
  }

  int length(int run) {
    return end(run) - start(run);
  }

  int kind(int run) {
    return kinds.get(run);
  }

  int position(int run) {
    return positions.get(run);
  }

  /** The position of an event in the run. */
  int positionAt(int run, int event) {
    return switch (kinds.get(run)) {
      case INSERT -> positions.get(run) + event;
      case DELETE_FORWARD -> positions.get(run);
      default -> positions.get(run) - event;
    };
  }

  int offset(int run) {
    return offsets.get(run);
  }

  /** The run that an event is in. */
  int runOf(int event) {
    return starts.floor(event);
  }

  void insert(int position, String text, int length) {
    beginInsert(position);
    content.insert(content.size(), text);
    end += length;
  }

  void insert(int position, ItemBuffer source, int from, int length) {
    beginInsert(position);
    content.insert(content.size(), source, from, length);
    end += length;
  }

  void insert(int position, int[] items) {
    beginInsert(position);
    content.insert(content.size(), items);
    end += items.length;
  }

  private void beginInsert(int position) {
    int last = starts.size() - 1;
    if (last >= 0
        && kinds.get(last) == INSERT
        && positions.get(last) + (end - starts.get(last)) == position) {
      return;
    }
    begin(position, INSERT, content.size());
  }

  /** Deletes {@code length} items, the one at {@code position} first. */
  void delete(int position, int length) {
    int last = starts.size() - 1;
    if (last >= 0 && length == 1 && kinds.get(last) != INSERT) {
      int before = end - starts.get(last);
      boolean one = before == 1;
      if (position == positions.get(last) - before && (kinds.get(last) == DELETE_BACKWARD || one)) {
        kinds.set(last, DELETE_BACKWARD);
        end++;
        return;
      }
    }
    if (last >= 0 && kinds.get(last) == DELETE_FORWARD && positions.get(last) == position) {
      end += length;
      return;
    }
    begin(position, DELETE_FORWARD, 0);
    end += length;
  }

  /** Adds a run as another log has it. */
  void addRun(int kind, int position, int length, ItemBuffer source, int from) {
    switch (kind) {
      case INSERT -> insert(position, source, from, length);
      case DELETE_FORWARD -> delete(position, length);
      default -> {
        begin(position, length == 1 ? DELETE_FORWARD : DELETE_BACKWARD, 0);
        end += length;
      }
    }
  }

  /** Adds what another log has from one event to another. */
  void addAll(Operations other, int from, int to) {
    other.forEach(
        from,
        to,
        (_, kind, position, length, offset) ->
            addRun(kind, position, length, other.content, offset));
  }

  /** A run of events, or the part of one: what they do, the first of them first. */
  @FunctionalInterface
  interface Piece {
    /**
     * @param position that of the first event
     * @param offset for insertions where their items are in {@link #content}
     */
    void accept(int event, int kind, int position, int length, int offset);
  }

  /** Goes through what was done from one event to another. */
  void forEach(int from, int to, Piece piece) {
    int at = from;
    for (int run = runOf(from); at < to; run++) {
      int skipped = at - start(run);
      int length = Math.min(to, end(run)) - at;
      piece.accept(at, kind(run), positionAt(run, skipped), length, offset(run) + skipped);
      at += length;
    }
  }

  /** The lowest position that a deletion takes away, as its text is before it. */
  static int lowest(int kind, int position, int length) {
    return kind == DELETE_BACKWARD ? position - length + 1 : position;
  }

  private void begin(int position, int kind, int offset) {
    starts.add(end);
    positions.add(position);
    kinds.add(kind);
    offsets.add(offset);
  }

  /** How much was known at a moment, for {@link #rollBack}. */
  record Mark(int runs, int end, int content, int lastKind) {}

  Mark mark() {
    int runs = starts.size();
    return new Mark(runs, end, content.size(), runs == 0 ? INSERT : kinds.last());
  }

  /** Forgets what was added since a mark was taken. */
  void rollBack(Mark mark) {
    starts.truncate(mark.runs);
    positions.truncate(mark.runs);
    kinds.truncate(mark.runs);
    offsets.truncate(mark.runs);
    if (mark.runs > 0) {
      kinds.set(mark.runs - 1, mark.lastKind);
    }
    content.delete(mark.content, content.size() - mark.content);
    end = mark.end;
  }

  /** Whether events did the same as those of another log. */
  boolean same(int from, Operations other, int otherFrom, int count) {
    for (int done = 0; done < count; ) {
      int mine = runOf(from + done);
      int theirs = other.runOf(otherFrom + done);
      int at = from + done - start(mine);
      int otherAt = otherFrom + done - other.start(theirs);
      int length =
          Math.min(count - done, Math.min(length(mine) - at, other.length(theirs) - otherAt));
      boolean oneDeletion = length == 1 && kind(mine) != INSERT && other.kind(theirs) != INSERT;
      if (positionAt(mine, at) != other.positionAt(theirs, otherAt)
          || (kind(mine) != other.kind(theirs) && !oneDeletion)
          || (kind(mine) == INSERT
              && !content.same(
                  offset(mine) + at, other.content, other.offset(theirs) + otherAt, length))) {
        return false;
      }
      done += length;
    }
    return true;
  }

  void trim() {
    starts.trim();
    positions.trim();
    kinds.trim();
    offsets.trim();
    content.trim();
  }
}
