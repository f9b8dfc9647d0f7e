// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@link HistoryWriter} wrote and adds what is new to a history. Everything is checked
 * before the first event is added, save that operations lie within their text.
 */
final class HistoryReader {
  private static final int EVENTS_MAX = 1 << 28;

  /** In place of an event's number: its parent is among those read. */
  private static final int INSIDE = -1;

  private final Graph graph;
  private final List<String> names = new ArrayList<>();
  private final ColumnReader agentColumn;
  private final ColumnReader lengthColumn;
  private final ColumnReader parentColumn;

  private final IntArray agents = new IntArray();
  private final IntArray sequences = new IntArray();
  private final IntArray starts = new IntArray();

  /** Pairs: an event that was read and {@link #INSIDE}, or an agent and its event's number. */
  private final List<int[]> parents = new ArrayList<>();

  private final Operations read = new Operations();
  private int total;

  private HistoryReader(Graph graph, ColumnReader in) {
    this.graph = graph;
    ColumnReader nameColumn = in.column();
    while (!nameColumn.atEnd()) {
      names.add(nameColumn.text());
    }
    agentColumn = in.column();
    lengthColumn = in.column();
    parentColumn = in.column();
  }

  /** Reads and checks a history that is to be added to a graph; nothing is added yet. */
  static HistoryReader read(Graph graph, byte[] bytes) {
    int end = bytes.length - 4;
    byte[] magic = HistoryWriter.MAGIC;
    if (end < magic.length || !Arrays.equals(bytes, 0, magic.length, magic, 0, magic.length)) {
      throw new TextFormatException("not a history of a text in format 1");
    }
    CRC32 sum = new CRC32();
    sum.update(bytes, 0, end);
    if ((int) sum.getValue() != ByteBuffer.wrap(bytes, end, 4).getInt()) {
      throw new TextFormatException("a damaged history: its checksum differs");
    }
    ColumnReader in = new ColumnReader(bytes, magic.length, end);
    HistoryReader reader = new HistoryReader(graph, in);
    reader.readRuns();
    reader.readOperations(in.column(), in.column(), in.column(), in.column());
    if (!in.atEnd()) {
      throw new TextFormatException("more after the last column");
    }
    return reader;
  }

  /** How many events of an agent are known after this was added, as far as it knows. */
  int eventsOf(String agent) {
    int number = names.indexOf(agent);
    int events = 0;
    for (int run = 0; run < agents.size(); run++) {
      if (agents.get(run) == number) {
        int end = run + 1 < starts.size() ? starts.get(run + 1) : total;
        events = Math.max(events, sequences.get(run) + end - starts.get(run));
      }
    }
    return events;
  }

  private void readRuns() {
    int[] expected = new int[names.size()];
    int[] known = new int[names.size()];
    for (int i = 0; i < known.length; i++) {
      if (names.get(i).isEmpty()) {
        throw new TextFormatException("an agent without a name");
      }
      known[i] = graph.known(names.get(i));
    }
    while (!agentColumn.atEnd()) {
      int code = agentColumn.count(2 * names.size() - 1);
      int agent = code >> 1;
      int leap = (code & 1) == 0 ? 0 : agentColumn.count(EVENTS_MAX);
      int sequence = expected[agent] + leap;
      int length = lengthColumn.count(EVENTS_MAX - total);
      if (length == 0 || sequence > EVENTS_MAX - length) {
        throw new TextFormatException("a run of " + length + " events from " + sequence);
      }
      if (sequence > known[agent]) {
        throw new TextFormatException(
            "events of " + names.get(agent) + " that build on unknown ones");
      }
      parents.add(readParents(agent, sequence));
      expected[agent] = sequence + length;
      known[agent] = Math.max(known[agent], sequence + length);
      agents.add(agent);
      sequences.add(sequence);
      starts.add(total);
      total += length;
    }
    if (!lengthColumn.atEnd() || !parentColumn.atEnd()) {
      throw new TextFormatException("columns of different lengths");
    }
  }

  private int[] readParents(int agent, int sequence) {
    int code = parentColumn.count(1 << 20);
    if (code == 0) {
      return inside(1);
    }
    int[] pairs = new int[0];
    for (int i = 0; i < code - 1; i++) {
      int[] pair = readParent(agent, sequence);
      pairs = Arrays.copyOf(pairs, pairs.length + 2);
      pairs[pairs.length - 2] = pair[0];
      pairs[pairs.length - 1] = pair[1];
    }
    return pairs;
  }

  private int[] readParent(int agent, int sequence) {
    int code = parentColumn.number();
    if (code == 0) {
      if (sequence == 0) {
        throw new TextFormatException("a first event after another of its agent");
      }
      return new int[] {agent, sequence - 1};
    }
    if ((code & 1) == 0) {
      return inside(code >>> 1);
    }
    int other = code >>> 1;
    int event = parentColumn.count(EVENTS_MAX);
    if (other >= names.size() || graph.known(names.get(other)) <= event) {
      throw new TextFormatException("an event that builds on unknown ones");
    }
    return new int[] {other, event};
  }

  private int[] inside(int distance) {
    if (distance == 0 || distance > total) {
      throw new TextFormatException("an event after a later one");
    }
    return new int[] {total - distance, INSIDE};
  }

  private void readOperations(
      ColumnReader kinds, ColumnReader positions, ColumnReader copies, ColumnReader literals) {
    byte[] utf8 = Repeats.join(copies, literals);
    String content = ColumnReader.decoded(utf8, 0, utf8.length);
    int used = 0;
    int cursor = 0;
    while (!kinds.atEnd()) {
      int code = kinds.count(Integer.MAX_VALUE);
      int kind = code % 3;
      int length = code / 3;
      if (length == 0 || length > total - read.size()) {
        throw new TextFormatException("operations for other events than there are");
      }
      int position = cursor + positions.signed() - (kind == Operations.DELETE_BACKWARD ? 1 : 0);
      int lowest = kind == Operations.DELETE_BACKWARD ? position - length + 1 : position;
      if (lowest < 0 || position > EVENTS_MAX) {
        throw new TextFormatException("an operation at position " + lowest);
      }
      if (kind == Operations.INSERT) {
        int to = after(content, used, length);
        read.insert(position, content.substring(used, to), length);
        used = to;
        cursor = position + length;
      } else {
        read.addRun(kind, position, length, read.content(), 0);
        cursor = lowest;
      }
    }
    if (read.size() != total || used != content.length() || !positions.atEnd()) {
      throw new TextFormatException("operations for other events than there are");
    }
  }

  private static int after(String content, int from, int length) {
    try {
      return content.offsetByCodePoints(from, length);
    } catch (IndexOutOfBoundsException e) {
      throw new TextFormatException("less content than was inserted");
    }
  }

  /** Refuses events that are known here and that somebody made differently. */
  void requireSame(SharedNames known) {
    for (int run = 0; run < starts.size(); run++) {
      String name = names.get(agents.get(run));
      int end = run + 1 < starts.size() ? starts.get(run + 1) : total;
      int shared = known.shared(name, sequences.get(run), end - starts.get(run));
      if (shared > 0) {
        known.requireSame(
            name, sequences.get(run), known(parents.get(run)), read, starts.get(run), shared);
      }
    }
  }

  /** Parents as events of the graph; null where one is not known there. */
  private int @Nullable [] known(int[] pairs) {
    for (int i = 0; i < pairs.length; i += 2) {
      int[] event = agentAndSequence(pairs[i], pairs[i + 1]);
      if (graph.known(names.get(event[0])) <= event[1]) {
        return null;
      }
    }
    return events(pairs);
  }

  /** Adds what is new to the graph and to the operations that belong to it. */
  void addTo(Operations operations) {
    for (int run = 0; run < starts.size(); run++) {
      int agent = graph.agent(names.get(agents.get(run)));
      int end = run + 1 < starts.size() ? starts.get(run + 1) : total;
      int skipped = Math.max(0, graph.known(agent) - sequences.get(run));
      int from = starts.get(run) + skipped;
      if (from >= end) {
        continue;
      }
      int[] seen =
          skipped > 0
              ? new int[] {graph.event(agent, graph.known(agent) - 1)}
              : events(parents.get(run));
      graph.add(agent, end - from, seen);
      operations.addAll(read, from, end);
    }
  }

  /** Parents as events of the graph that they are added to. */
  private int[] events(int[] pairs) {
    int[] seen = new int[pairs.length / 2];
    for (int i = 0; i < seen.length; i++) {
      int[] event = agentAndSequence(pairs[2 * i], pairs[2 * i + 1]);
      seen[i] = graph.event(graph.agent(names.get(event[0])), event[1]);
    }
    Arrays.sort(seen);
    return seen;
  }

  private int[] agentAndSequence(int first, int second) {
    if (second != INSIDE) {
      return new int[] {first, second};
    }
    int run = starts.floor(first);
    return new int[] {agents.get(run), sequences.get(run) + first - starts.get(run)};
  }
}
