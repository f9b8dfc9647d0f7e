// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Writes histories as bytes, format 1 of {@code docs/formats}: columns, each deflated where that
 * makes it smaller, and a checksum. What is usual takes one byte or less: an event after the one
 * before it, an operation where the last one ended.
 */
final class HistoryWriter {
  static final byte[] MAGIC = {'E', 'T', 'x', 1};

  private static final int NOT_WRITTEN = Integer.MIN_VALUE;

  private final Graph graph;
  private final Operations operations;
  private final Map<String, Integer> known;

  private final Column names = new Column();
  private final Column agents = new Column();
  private final Column lengths = new Column();
  private final Column parents = new Column();
  private final Column kinds = new Column();
  private final Column positions = new Column();
  private final StringBuilder content = new StringBuilder();

  /** Agents as they come up. */
  private final int[] numbers;

  private int numbered;

  /** For each run where its first event would stand among those that are written. */
  private final int[] places;

  private int written;
  private int cursor;

  private HistoryWriter(Graph graph, Operations operations, Map<String, Integer> known) {
    this.graph = graph;
    this.operations = operations;
    this.known = known;
    this.numbers = new int[graph.agents()];
    this.places = new int[graph.runs()];
    Arrays.fill(numbers, -1);
  }

  /** The events that are not {@code known}: for each agent the number of its first events. */
  static byte[] toBytes(Graph graph, Operations operations, Map<String, Integer> known) {
    HistoryWriter writer = new HistoryWriter(graph, operations, known);
    writer.writeRuns();
    return writer.packed();
  }

  private void writeRuns() {
    int[] expected = new int[graph.agents()];
    for (int run = 0; run < graph.runs(); run++) {
      int agent = graph.agent(run);
      int skipped = Math.max(0, knownOf(agent) - graph.sequence(run));
      int from = graph.start(run) + skipped;
      if (from >= graph.end(run)) {
        places[run] = NOT_WRITTEN;
        continue;
      }
      places[run] = written - skipped;
      int leap = graph.sequence(run) + skipped - expected[agent];
      agents.number(numberOf(agent) << 1 | (leap == 0 ? 0 : 1));
      if (leap != 0) {
        agents.number(leap);
      }
      int length = graph.end(run) - from;
      expected[agent] = graph.sequence(run) + skipped + length;
      lengths.number(length);
      writeParents(agent, skipped > 0 ? new int[] {from - 1} : graph.parents(run), from);
      operations.forEach(from, graph.end(run), this::writeOperation);
      written += length;
    }
  }

  private int knownOf(int agent) {
    return known.getOrDefault(graph.name(agent), 0);
  }

  private int numberOf(int agent) {
    if (numbers[agent] < 0) {
      numbers[agent] = numbered++;
      names.text(graph.name(agent));
    }
    return numbers[agent];
  }

  /**
   * 0: the event that was written before. Else one more than the number of parents, and for each 0:
   * the agent's own event before; or twice its distance back; or an agent, as an odd number, and
   * the event's number.
   */
  private void writeParents(int agent, int[] seen, int first) {
    if (seen.length == 1 && distance(seen[0]) == 1) {
      parents.number(0);
      return;
    }
    parents.number(seen.length + 1);
    for (int parent : seen) {
      int run = graph.runOf(parent);
      int sequence = graph.sequenceOf(parent);
      int distance = distance(parent);
      if (graph.agent(run) == agent && parent < first && sequence + 1 == graph.sequenceOf(first)) {
        parents.number(0);
      } else if (distance > 0) {
        parents.number(distance << 1);
      } else {
        parents.number((numberOf(graph.agent(run)) << 1) | 1);
        parents.number(sequence);
      }
    }
  }

  /** How far back among those written an event stands; 0 where it is not among them. */
  private int distance(int event) {
    int run = graph.runOf(event);
    boolean isWritten =
        places[run] != NOT_WRITTEN && graph.sequenceOf(event) >= knownOf(graph.agent(run));
    return isWritten ? written - (places[run] + event - graph.start(run)) : 0;
  }

  private void writeOperation(int event, int kind, int position, int length, int offset) {
    kinds.number(length * 3 + kind);
    switch (kind) {
      case Operations.INSERT -> {
        positions.signed(position - cursor);
        cursor = position + length;
        content.append(operations.content().text(offset, length));
      }
      case Operations.DELETE_FORWARD -> {
        positions.signed(position - cursor);
        cursor = position;
      }
      default -> {
        positions.signed(position + 1 - cursor);
        cursor = position - length + 1;
      }
    }
  }

  private byte[] packed() {
    Column copies = new Column();
    Column literals = new Column();
    Repeats.split(content.toString().getBytes(StandardCharsets.UTF_8), copies, literals);
    Column out = new Column();
    out.bytes(MAGIC, 0, MAGIC.length);
    for (Column column :
        new Column[] {names, agents, lengths, parents, kinds, positions, copies, literals}) {
      column.packInto(out);
    }
    CRC32 sum = new CRC32();
    sum.update(out.toBytes());
    out.bytes(ByteBuffer.allocate(4).putInt((int) sum.getValue()).array(), 0, 4);
    return out.toBytes();
  }
}
