// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.SortedChunkMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.Counter.Tally;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.ObservedSet.Presence;
import dev.entente.core.crdt.Register;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.json.Json;
import dev.entente.core.record.CellId;
import dev.entente.core.record.CellId.CellClass;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Repetitions;
import dev.entente.core.record.Unit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Record states as bytes; see docs/formats. What the assignments of one version share (dot,
 * context, times, author) is written once, in the order of dots, and referred to by index.
 */
public final class StateCodec {
  private static final int FORMAT = 1;

  /** Of a state with assignments whose clocks were known to be off. */
  private static final int FORMAT_WITH_ERRORS = 2;

  /** Of a state that has seen repetitions; clock errors are written, and may all be 0. */
  private static final int FORMAT_WITH_REPETITIONS = 3;

  private StateCodec() {}

  public static byte[] toBytes(RecordState state) {
    ByteWriter out = new ByteWriter();
    List<Assignment> origins = origins(state);
    boolean repeated = !state.repetitions().isEmpty();
    boolean plain = !repeated && !anyClockError(origins);
    out.u8(plain ? FORMAT : repeated ? FORMAT_WITH_REPETITIONS : FORMAT_WITH_ERRORS);
    CausalCodec.write(out, state.context());
    if (repeated) {
      write(out, state.repetitions());
    }
    out.varint(origins.size());
    origins.forEach(origin -> writeOrigin(out, origin, plain));
    out.varint(state.cells().size());
    for (int i = 0; i < state.cells().size(); i++) {
      VersionCodec.write(out, state.cells().key(i).unit());
      write(out, state.cells().value(i), origins);
    }
    return out.toBytes();
  }

  private static void write(ByteWriter out, Repetitions repetitions) {
    out.varint(repetitions.earlier().size());
    repetitions
        .earlier()
        .forEach((repetition, earlier) -> {
          CausalCodec.write(out, repetition);
          CausalCodec.write(out, earlier);
        });
  }

  private static Repetitions readRepetitions(ByteReader in) {
    int size = in.count();
    List<Dot> repetitions = new ArrayList<>(size);
    List<Dot> earlier = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      repetitions.add(CausalCodec.readDot(in));
      earlier.add(CausalCodec.readDot(in));
    }
    return new Repetitions(SortedArrayMap.ofSorted(repetitions, earlier));
  }

  /** One assignment of each version that still has any, in the order of their dots. */
  private static List<Assignment> origins(RecordState state) {
    List<Assignment> origins = new ArrayList<>();
    for (Cell cell : state.cells().values()) {
      if (cell instanceof Register register) {
        for (Assignment assignment : register.values()) {
          int at = indexOf(origins, assignment);
          if (at < 0) {
            origins.add(-at - 1, assignment);
          }
        }
      }
    }
    return origins;
  }

  private static int indexOf(List<Assignment> origins, Assignment assignment) {
    return Collections.binarySearch(origins, assignment);
  }

  private static void writeOrigin(ByteWriter out, Assignment origin, boolean plain) {
    CausalCodec.write(out, origin.dot());
    CausalCodec.write(out, origin.context());
    out.varint(origin.acceptedAt().packed()).varint(origin.time().packed()).text(origin.author());
    if (!plain) {
      out.varint(origin.clockErrorMillis());
    }
  }

  private static boolean anyClockError(List<Assignment> origins) {
    for (Assignment origin : origins) {
      if (origin.clockErrorMillis() != 0) {
        return true;
      }
    }
    return false;
  }

  private static boolean anySum(Register register) {
    for (Assignment assignment : register.values()) {
      if (assignment.sumHistory().isPresent()) {
        return true;
      }
    }
    return false;
  }

  private static void write(ByteWriter out, Cell cell, List<Assignment> origins) {
    switch (cell) {
      case Register register -> {
        boolean sums = anySum(register);
        out.u8(sums ? 6 : 0).varint(register.assignments().size());
        for (Assignment assignment : register.values()) {
          out.varint(indexOf(origins, assignment));
          JsonCodec.write(out, assignment.value());
          VersionCodec.writeAncestors(out, assignment.ancestors());
          if (sums) {
            out.u8(assignment.sumHistory().isPresent() ? 1 : 0);
            assignment.sumHistory().ifPresent(history -> SumHistoryCodec.write(out, history));
          }
        }
      }
      case Counter counter -> {
        boolean gifts = counter.tallies().values().stream().anyMatch(t -> !t.given().isEmpty());
        boolean removed = !counter.removed().isEmpty();
        writeTallies(out.u8(removed ? 5 : gifts ? 4 : 1), counter.tallies(), removed || gifts);
        if (removed) {
          writeTallies(out, counter.removed(), true);
        }
      }
      case Sequence sequence -> write(out, sequence);
      case ObservedSet set -> {
        out.u8(2).varint(set.elements().size());
        set.elements()
            .forEach((element, presence) -> {
              JsonCodec.write(out, element);
              writeDots(out, presence.added());
              writeDots(out, presence.removed());
            });
      }
    }
  }

  static void writeTallies(
      ByteWriter out, SortedArrayMap<NodeId, Tally> tallies, boolean withGifts) {
    out.varint(tallies.size());
    tallies.forEach((node, tally) -> {
      out.text(node.value()).varint(tally.ups()).varint(tally.downs());
      if (withGifts) {
        out.varint(tally.given().size());
        tally.given().forEach((to, amount) -> out.text(to.value()).varint(amount));
      }
    });
  }

  private static void write(ByteWriter out, Sequence sequence) {
    JsonCodec.write(out.u8(3), sequence.base());
    writeDots(out, sequence.heads());
    out.varint(sequence.open().size());
    sequence
        .open()
        .forEach((dot, edit) -> {
          CausalCodec.write(out, dot);
          CausalCodec.write(out, edit.context());
          out.varint(edit.splices().size());
          edit.splices().forEach(splice -> VersionCodec.write(out, splice));
        });
  }

  private static Sequence readSequence(ByteReader in) {
    Json base = JsonCodec.read(in);
    List<Dot> heads = readDots(in);
    int size = in.count();
    List<Dot> dots = new ArrayList<>(size);
    List<Sequence.Edit> edits = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      dots.add(CausalCodec.readDot(in));
      edits.add(new Sequence.Edit(CausalCodec.readContext(in), VersionCodec.readSplices(in)));
    }
    return Sequence.restored(base, heads, SortedArrayMap.ofSorted(dots, edits));
  }

  private static void writeDots(ByteWriter out, List<Dot> dots) {
    out.varint(dots.size());
    dots.forEach(dot -> CausalCodec.write(out, dot));
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws DamagedException where the bytes are anything else
   */
  public static RecordState fromBytes(byte[] bytes) {
    return ByteReader.readAll(bytes, StateCodec::read);
  }

  private static RecordState read(ByteReader in) {
    int format = in.u8();
    if (format < FORMAT || format > FORMAT_WITH_REPETITIONS) {
      throw new DamagedException(
          "a state in format " + format + "; this release reads up to " + FORMAT_WITH_REPETITIONS);
    }
    var context = CausalCodec.readVector(in);
    Repetitions repetitions =
        format == FORMAT_WITH_REPETITIONS ? readRepetitions(in) : Repetitions.NONE;
    int size = in.count();
    List<Origin> origins = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      origins.add(
          new Origin(
              CausalCodec.readDot(in),
              CausalCodec.readContext(in),
              new HybridTime(in.varint()),
              new HybridTime(in.varint()),
              in.text(),
              format == FORMAT ? 0 : (int) Math.min(Integer.MAX_VALUE, in.varint())));
    }
    int count = in.count();
    List<CellId> ids = new ArrayList<>(count);
    List<Cell> cells = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Unit unit = VersionCodec.readUnit(in);
      Cell cell = readCell(in, origins);
      ids.add(new CellId(unit, classOf(cell)));
      cells.add(cell);
    }
    return new RecordState(context, SortedArrayMap.ofSorted(ids, cells), repetitions);
  }

  private record Origin(
      Dot dot,
      CausalContext context,
      HybridTime acceptedAt,
      HybridTime time,
      String author,
      int clockErrorMillis) {}

  private static CellClass classOf(Cell cell) {
    return switch (cell) {
      case Register _ -> CellClass.REGISTER;
      case Counter _ -> CellClass.COUNTER;
      case ObservedSet _ -> CellClass.SET;
      case Sequence sequence -> sequence.isText() ? CellClass.TEXT : CellClass.LIST;
    };
  }

  private static Cell readCell(ByteReader in, List<Origin> origins) {
    int kind = in.u8();
    return switch (kind) {
      case 0, 6 -> readRegister(in, origins, kind == 6);
      case 1, 4 -> new Counter(readTallies(in, kind == 4));
      case 5 -> new Counter(readTallies(in, true), readTallies(in, true));
      case 2 -> {
        int size = in.count();
        List<Json> elements = new ArrayList<>(size);
        List<Presence> presences = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
          elements.add(JsonCodec.read(in));
          presences.add(new Presence(readDots(in), readDots(in)));
        }
        yield new ObservedSet(SortedChunkMap.ofSorted(elements, presences));
      }
      case 3 -> readSequence(in);
      default -> throw new DamagedException("no cell is of kind " + kind);
    };
  }

  static SortedArrayMap<NodeId, Tally> readTallies(ByteReader in, boolean gifts) {
    int size = in.count();
    List<NodeId> nodes = new ArrayList<>(size);
    List<Tally> tallies = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      nodes.add(new NodeId(in.text()));
      long ups = in.varint();
      long downs = in.varint();
      tallies.add(gifts ? new Tally(ups, downs, readGifts(in)) : new Tally(ups, downs));
    }
    return SortedArrayMap.ofSorted(nodes, tallies);
  }

  private static SortedArrayMap<NodeId, Long> readGifts(ByteReader in) {
    int size = in.count();
    List<NodeId> nodes = new ArrayList<>(size);
    List<Long> amounts = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      nodes.add(new NodeId(in.text()));
      amounts.add(in.varint());
    }
    return SortedArrayMap.ofSorted(nodes, amounts);
  }

  private static Register readRegister(ByteReader in, List<Origin> origins, boolean sums) {
    int size = in.count();
    List<Dot> dots = new ArrayList<>(size);
    List<Assignment> assignments = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      int index = (int) in.varint();
      if (index < 0 || index >= origins.size()) {
        throw new DamagedException(
            "an assignment refers to origin " + index + " of " + origins.size());
      }
      Origin origin = origins.get(index);
      dots.add(origin.dot());
      assignments.add(
          new Assignment(
              origin.dot(),
              origin.context(),
              origin.acceptedAt(),
              origin.time(),
              origin.author(),
              JsonCodec.read(in),
              VersionCodec.readAncestors(in),
              sums && in.u8() == 1 ? Optional.of(SumHistoryCodec.read(in)) : Optional.empty(),
              origin.clockErrorMillis()));
    }
    return new Register(SortedArrayMap.ofSorted(dots, assignments));
  }

  private static List<Dot> readDots(ByteReader in) {
    int size = in.count();
    List<Dot> dots = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      dots.add(CausalCodec.readDot(in));
    }
    return dots;
  }
}
