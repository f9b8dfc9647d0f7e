// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Transforms events so that each can be carried out on the outcome of those before it.
 *
 * <p>The idea: an event's position speaks of the document that its author saw. The walker keeps all
 * items of the concurrent part of history in one sequence, each with two fates: in the
 * <i>prepared</i> version, which it moves to what the author of the next event had seen by undoing
 * and redoing events, and in the <i>outcome</i> of all events so far. The event is looked up in the
 * first and carried out on the second. Where history has no concurrency, events go through as they
 * are and the sequence is thrown away; what stands for the text before is one span whose items
 * nobody needs to know.
 *
 * <p>Concurrent insertions at one place stand in the order that Fugue gives them, so that runs
 * never interleave, typed forward or backward; between equals the agent decides.
 *
 * <p>Source: Gentle, Kleppmann, <i>Collaborative text editing with Eg-walker</i>, 2024; Weidner,
 * Kleppmann, <i>The art of the Fugue</i>, 2023. Rejected: keeping the sequence with the document
 * (Yjs, Automerge), which costs its memory for ever; a B-tree for the sequence, which is faster for
 * millions of concurrent events and several times the code.
 */
final class Walker {
  /** Ids from here on are items that were there before the part of history that is walked. */
  private static final int BEFORE = 1 << 30;

  private static final int BEFORE_LENGTH = 1 << 29;

  private final Graph graph;
  private final Operations operations;
  private final Chunks chunks;
  private final int first;

  private final SpanTree tree = new SpanTree();

  /** For each event that inserted, the span of its item. */
  private final @Nullable Span[] inserted;

  /** For each event that deleted, the item that it deleted. */
  private final int[] deleted;

  private final TreeMap<Integer, Span> before = new TreeMap<>();

  /** The chunks whose events and all they saw make the prepared version. */
  private int[] prepared = {};

  private final Agenda agenda;

  /**
   * @param base a critical event, or -1: the text after it is what the operations apply to
   * @param cuts events before which {@link #walk} shall begin or end
   */
  Walker(Graph graph, Operations operations, int base, int... cuts) {
    this.graph = graph;
    this.operations = operations;
    this.first = base + 1;
    this.chunks = new Chunks(graph, first, cuts);
    this.inserted = new Span[graph.size() - first];
    this.deleted = new int[graph.size() - first];
    this.agenda = new Agenda(chunks);
    reset();
  }

  private void reset() {
    tree.clear();
    before.clear();
    Span all = new Span(BEFORE, BEFORE_LENGTH, Span.NONE, Span.NONE, tree.priority());
    tree.insertAfter(null, all);
    before.put(BEFORE, all);
  }

  /**
   * Walks the events from one to another. What {@code walk} was called with must follow one
   * another.
   */
  void walk(int from, int to, Sink sink) {
    if (from >= to) {
      return;
    }
    boolean clean = prepared.length == 0;
    for (int chunk : chunks.order(chunks.at(from), chunks.at(to - 1) + 1)) {
      if (chunks.isAlone(chunk)) {
        passThrough(chunk, sink);
        if (!clean) {
          reset();
          clean = true;
        }
      } else {
        moveTo(chunks.parents(chunk));
        walkChunk(chunk, sink);
        clean = false;
      }
      prepared = new int[] {chunk};
    }
  }

  /** Walks all events as if each had been concurrent with another, so that all items are known. */
  void walkTogether() {
    for (int chunk : chunks.order(0, chunks.size())) {
      moveTo(chunks.parents(chunk));
      walkChunk(chunk, Sink.NOWHERE);
      prepared = new int[] {chunk};
    }
  }

  private void passThrough(int chunk, Sink sink) {
    operations.forEach(
        chunks.start(chunk),
        chunks.end(chunk),
        (_, kind, position, length, offset) -> {
          if (kind == Operations.INSERT) {
            sink.insert(position, offset, length);
          } else {
            sink.delete(Operations.lowest(kind, position, length), length);
          }
        });
  }

  private void walkChunk(int chunk, Sink sink) {
    int agent = graph.agent(graph.runOf(chunks.start(chunk)));
    operations.forEach(
        chunks.start(chunk),
        chunks.end(chunk),
        (event, kind, position, length, offset) -> {
          if (kind == Operations.INSERT) {
            insert(event, position, length, agent, offset, sink);
          } else {
            boolean backward = kind == Operations.DELETE_BACKWARD;
            delete(event, Operations.lowest(kind, position, length), length, backward, sink);
          }
        });
  }

  private void insert(int event, int position, int length, int agent, int offset, Sink sink) {
    Span left = null;
    int leftOffset = -1;
    int originLeft = Span.NONE;
    if (position > 0) {
      left = tree.find(position - 1);
      if (left == null) {
        throw new TextFormatException("event " + event + " inserts behind the end of the text");
      }
      leftOffset = tree.offset();
      originLeft = left.id + leftOffset;
      if (leftOffset + 1 < left.length) {
        Span rest = split(left, leftOffset + 1);
        place(event, length, originLeft, rest.id, left, offset, sink);
        return;
      }
    }
    Span next = left == null ? tree.first() : tree.next(left);
    Span after = next;
    while (after != null && after.state == Span.NOT_YET) {
      after = tree.next(after);
    }
    int originRight = after != null && after.originLeft == originLeft ? after.id : Span.NONE;
    Span behind =
        next == after
            ? left
            : integrate(event, agent, originLeft, originRight, left, leftOffset, next);
    place(event, length, originLeft, originRight, behind, offset, sink);
  }

  /** Finds the span after which the new item goes, among items that its author had not seen. */
  private @Nullable Span integrate(
      int event,
      int agent,
      int originLeft,
      int originRight,
      @Nullable Span left,
      int leftOffset,
      @Nullable Span next) {
    int leftRank = left == null ? -1 : tree.rank(left) + leftOffset;
    int rightRank = rankOf(originRight, Integer.MAX_VALUE);
    Span place = left;
    boolean scanning = false;
    for (Span other = next;
        other != null && other.state == Span.NOT_YET;
        other = tree.next(other)) {
      int otherLeft = other.originLeft == originLeft ? leftRank : rankOf(other.originLeft, -1);
      if (otherLeft < leftRank) {
        break;
      }
      if (otherLeft == leftRank) {
        int otherRight = rankOf(other.originRight, Integer.MAX_VALUE);
        if (otherRight == rightRank && precedes(event, agent, other.id)) {
          break;
        }
        scanning = otherRight < rightRank;
      }
      if (!scanning) {
        place = other;
      }
    }
    return place;
  }

  private int rankOf(int id, int none) {
    if (id == Span.NONE) {
      return none;
    }
    Span span = spanOf(id);
    return tree.rank(span) + id - span.id;
  }

  private boolean precedes(int event, int agent, int other) {
    int otherRun = graph.runOf(other);
    int order = graph.name(agent).compareTo(graph.name(graph.agent(otherRun)));
    return order != 0 ? order < 0 : event < other;
  }

  private void place(
      int event,
      int length,
      int originLeft,
      int originRight,
      @Nullable Span behind,
      int offset,
      Sink sink) {
    Span span = new Span(event, length, originLeft, originRight, tree.priority());
    tree.insertAfter(behind, span);
    Arrays.fill(inserted, event - first, event - first + length, span);
    sink.insert(tree.outcomeBefore(span), offset, length);
  }

  private void delete(int event, int position, int length, boolean backward, Sink sink) {
    for (int done = 0; done < length; ) {
      Span span = tree.find(position);
      if (span == null) {
        throw new TextFormatException("event " + event + " deletes behind the end of the text");
      }
      if (tree.offset() > 0) {
        span = split(span, tree.offset());
      }
      if (span.length > length - done) {
        split(span, length - done);
      }
      for (int i = 0; i < span.length; i++) {
        int by = backward ? event + length - 1 - done - i : event + done + i;
        deleted[by - first] = span.id + i;
      }
      span.state++;
      if (span.deleted) {
        tree.changed(span);
      } else {
        int at = tree.outcomeBefore(span);
        span.deleted = true;
        tree.changed(span);
        sink.delete(at, span.length);
      }
      done += span.length;
    }
  }

  private Span split(Span span, int at) {
    Span rest = tree.split(span, at);
    if (rest.id >= BEFORE) {
      before.put(rest.id, rest);
    } else {
      Arrays.fill(inserted, rest.id - first, rest.id - first + rest.length, rest);
    }
    return rest;
  }

  private Span spanOf(int id) {
    return Objects.requireNonNull(
        id >= BEFORE ? before.floorEntry(id).getValue() : inserted[id - first],
        "an item without a span");
  }

  /** Moves the prepared version to what these chunks and all they saw make. */
  private void moveTo(int[] target) {
    agenda.compare(prepared, target);
    for (int i = 0; i < agenda.undo().size(); i++) {
      step(agenda.undo().get(i), -1);
    }
    for (int i = 0; i < agenda.redo().size(); i++) {
      step(agenda.redo().get(i), 1);
    }
    prepared = target;
  }

  /**
   * Undoes or redoes the events of a chunk; an item counts its insertion and its deletions, so
   * their order does not matter.
   */
  private void step(int chunk, int by) {
    int at = chunks.start(chunk);
    int end = chunks.end(chunk);
    for (int run = operations.runOf(at); at < end; run++) {
      int to = Math.min(end, operations.end(run));
      stepRun(operations.kind(run), at, to, by);
      at = to;
    }
  }

  private void stepRun(int kind, int from, int to, int by) {
    for (int event = from; event < to; ) {
      Span span = spanOf(kind == Operations.INSERT ? event : deleted[event - first]);
      span.state += by;
      tree.changed(span);
      event += span.length;
    }
  }

  /**
   * Where in the outcome the item is now that stands before a position of the version that these
   * events and all they saw make.
   *
   * @return the number of items up to and including it, or where it was if it is deleted
   */
  int outcomeOf(int[] version, int position, boolean stickToNext) {
    moveTo(chunksOf(version));
    int item = stickToNext ? position : position - 1;
    if (item < 0) {
      return 0;
    }
    Span span = tree.find(item);
    if (span == null) {
      return Integer.MAX_VALUE;
    }
    int offset = tree.offset();
    int at = tree.outcomeBefore(span);
    return span.deleted ? at : at + offset + (stickToNext ? 0 : 1);
  }

  private int[] chunksOf(int[] events) {
    IntArray ends = new IntArray();
    for (int event : events) {
      if (event >= first) {
        ends.add(chunks.at(event));
      }
    }
    return ends.toArray();
  }

  /** What to undo and redo to get from one version to another. */
  private static final class Agenda {
    private static final int HERE = 1;
    private static final int THERE = 2;
    private final Chunks chunks;
    private final byte[] marks;
    private final PriorityQueue<Integer> queue = new PriorityQueue<>(Comparator.reverseOrder());
    private final IntArray undo = new IntArray();
    private final IntArray redo = new IntArray();
    private int oneSided;

    Agenda(Chunks chunks) {
      this.chunks = chunks;
      this.marks = new byte[chunks.size()];
    }

    IntArray undo() {
      return undo;
    }

    IntArray redo() {
      return redo;
    }

    void compare(int[] here, int[] there) {
      undo.clear();
      redo.clear();
      if (Arrays.equals(here, there)) {
        return;
      }
      oneSided = 0;
      for (int chunk : here) {
        mark(chunk, HERE);
      }
      for (int chunk : there) {
        mark(chunk, THERE);
      }
      while (oneSided > 0) {
        int chunk = queue.remove();
        int mark = marks[chunk];
        marks[chunk] = 0;
        if (mark != (HERE | THERE)) {
          oneSided--;
          (mark == HERE ? undo : redo).add(chunk);
        }
        for (int parent : chunks.parents(chunk)) {
          mark(parent, mark);
        }
      }
      queue.forEach(chunk -> marks[chunk] = 0);
      queue.clear();
    }

    private void mark(int chunk, int mark) {
      int was = marks[chunk];
      int now = was | mark;
      marks[chunk] = (byte) now;
      if (was == 0) {
        queue.add(chunk);
      }
      oneSided += (now == HERE || now == THERE ? 1 : 0) - (was == HERE || was == THERE ? 1 : 0);
    }
  }
}
