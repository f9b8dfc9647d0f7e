// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.Proof;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.record.VersionRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Versions as bytes; see docs/formats. */
public final class VersionCodec {
  private static final int FORMAT = 1;

  /** Of a version whose clock was known to be off. */
  private static final int FORMAT_WITH_ERROR = 2;

  /** Of a version that says which request it was accepted for; its clock's error may be 0. */
  private static final int FORMAT_WITH_ORIGIN = 3;

  /** Of a version that somebody vouches for. */
  private static final int FORMAT_WITH_PROOF = 4;

  /** The largest version. A record is smaller, and so is what one write of it replaces. */
  private static final int BYTES_MAX = 40 << 20;

  private VersionCodec() {}

  /**
   * Why a version that came from elsewhere in these bytes cannot be accepted; empty where it can.
   * Besides the rules for all versions, each has one encoding, since nodes compare versions by
   * their bytes.
   */
  public static Optional<String> problem(Version version, byte[] received) {
    if (received.length > BYTES_MAX) {
      return Optional.of("it takes " + received.length + " bytes, at most are " + BYTES_MAX);
    }
    Optional<String> problem = VersionRules.problem(version);
    return problem.isEmpty() && !Arrays.equals(toBytes(version), received)
        ? Optional.of("it is not encoded as nodes encode versions")
        : problem;
  }

  public static byte[] toBytes(Version version) {
    ByteWriter out = new ByteWriter();
    int format = formatOf(version);
    out.u8(format);
    CausalCodec.write(out, version.dot());
    out.text(version.key().tenant()).text(version.key().type()).text(version.key().id());
    out.varint(version.previous());
    CausalCodec.write(out, version.context());
    out.varint(version.acceptedAt().packed()).varint(version.time().packed());
    out.text(version.author());
    optional(out, version.device());
    optional(out, version.eventId());
    out.text(version.note());
    if (format != FORMAT) {
      out.varint(version.clockErrorMillis());
    }
    if (format == FORMAT_WITH_PROOF) {
      out.u8(version.origin().isPresent() ? 1 : 0);
    }
    version.origin().ifPresent(origin -> write(out, origin));
    version.proof().ifPresent(proof -> write(out, proof));
    out.varint(version.changes().size());
    version.changes().forEach(change -> write(out, change));
    return out.toBytes();
  }

  private static int formatOf(Version version) {
    if (version.proof().isPresent()) {
      return FORMAT_WITH_PROOF;
    }
    if (version.origin().isPresent()) {
      return FORMAT_WITH_ORIGIN;
    }
    return version.clockErrorMillis() == 0 ? FORMAT : FORMAT_WITH_ERROR;
  }

  private static void write(ByteWriter out, Origin origin) {
    out.raw(origin.sender().toBytes()).raw(origin.request().toBytes());
  }

  private static void write(ByteWriter out, Proof proof) {
    out.raw(proof.signer().toBytes()).raw(proof.first().toBytes()).raw(proof.second().toBytes());
  }

  private static Proof readProof(ByteReader in) {
    return new Proof(readFingerprint(in), readFingerprint(in), readFingerprint(in));
  }

  private static Fingerprint readFingerprint(ByteReader in) {
    return Fingerprint.of(in.raw(Fingerprint.BYTES));
  }

  private static Origin readOrigin(ByteReader in) {
    return new Origin(readFingerprint(in), readFingerprint(in));
  }

  /** The dot of a version, without reading the rest. */
  public static Dot dotOf(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    in.u8();
    return CausalCodec.readDot(in);
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws DamagedException where the bytes are anything else
   */
  public static Version fromBytes(byte[] bytes) {
    return ByteReader.readAll(bytes, VersionCodec::read);
  }

  private static Version read(ByteReader in) {
    int format = in.u8();
    if (format < FORMAT || format > FORMAT_WITH_PROOF) {
      throw new DamagedException(
          "a version in format " + format + "; this release reads up to " + FORMAT_WITH_PROOF);
    }
    Dot dot = CausalCodec.readDot(in);
    RecordKey key = new RecordKey(in.text(), in.text(), in.text());
    long previous = in.varint();
    var context = CausalCodec.readContext(in);
    HybridTime acceptedAt = new HybridTime(in.varint());
    HybridTime time = new HybridTime(in.varint());
    String author = in.text();
    Optional<String> device = optional(in);
    Optional<String> eventId = optional(in);
    String note = in.text();
    int error = format == FORMAT ? 0 : (int) Math.min(Integer.MAX_VALUE, in.varint());
    if (format == FORMAT_WITH_ERROR && error <= 0) {
      throw new DamagedException("a version in format " + format + " without its clock's error");
    }
    boolean hasOrigin =
        format == FORMAT_WITH_ORIGIN || (format == FORMAT_WITH_PROOF && in.u8() == 1);
    Optional<Origin> origin = hasOrigin ? Optional.of(readOrigin(in)) : Optional.empty();
    Optional<Proof> proof =
        format == FORMAT_WITH_PROOF ? Optional.of(readProof(in)) : Optional.empty();
    int size = in.count();
    List<Change> changes = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      changes.add(readChange(in));
    }
    return Version.builder(dot, key)
        .previous(previous)
        .context(context)
        .acceptedAt(acceptedAt)
        .time(time)
        .author(author)
        .device(device)
        .eventId(eventId)
        .note(note)
        .changes(changes)
        .clockErrorMillis(error)
        .origin(origin)
        .proof(proof)
        .build();
  }

  private static void optional(ByteWriter out, Optional<String> text) {
    out.u8(text.isPresent() ? 1 : 0);
    text.ifPresent(out::text);
  }

  private static Optional<String> optional(ByteReader in) {
    return in.u8() == 1 ? Optional.of(in.text()) : Optional.empty();
  }

  private static void write(ByteWriter out, Change change) {
    switch (change) {
      case Change.Assign assign -> {
        write(out.u8(assign.sumHistory().isPresent() ? 9 : 0), assign.unit());
        JsonCodec.write(out, assign.value());
        writeAncestors(out, assign.ancestors());
        assign.sumHistory().ifPresent(history -> SumHistoryCodec.write(out, history));
      }
      case Change.Clear _ -> out.u8(6);
      case Change.Remove remove -> {
        write(out.u8(7), remove.path());
        StateCodec.writeTallies(out, remove.counted(), true);
      }
      case Change.Restore restore -> write(out.u8(8), restore.path());
      case Change.Count count -> {
        write(out.u8(1), count.path());
        out.zigzag(count.difference());
      }
      case Change.Give give -> {
        write(out.u8(5), give.path());
        out.text(give.to().value()).varint(give.amount());
      }
      case Change.EditSequence edit -> {
        write(out.u8(4), edit.path());
        out.varint(edit.splices().size());
        edit.splices().forEach(splice -> write(out, splice));
        out.u8(edit.seed().isPresent() ? 1 : 0);
        edit.seed()
            .ifPresent(seed -> {
              CausalCodec.write(out, seed.dot());
              JsonCodec.write(out, seed.value());
            });
      }
      case Change.EditSet edit -> {
        write(out.u8(edit.removeWins() ? 3 : 2), edit.path());
        list(out, edit.add());
        list(out, edit.remove());
      }
    }
  }

  private static Change readChange(ByteReader in) {
    int kind = in.u8();
    return switch (kind) {
      case 0 -> new Change.Assign(readUnit(in), JsonCodec.read(in), readAncestors(in));
      case 1 -> new Change.Count(readPath(in), in.zigzag());
      case 2, 3 -> new Change.EditSet(readPath(in), list(in), list(in), kind == 3);
      case 4 ->
          new Change.EditSequence(
              readPath(in),
              readSplices(in),
              in.u8() == 1
                  ? Optional.of(
                      new Change.EditSequence.Seed(CausalCodec.readDot(in), JsonCodec.read(in)))
                  : Optional.empty());
      case 5 -> new Change.Give(readPath(in), new NodeId(in.text()), in.varint());
      case 6 -> new Change.Clear();
      case 7 -> new Change.Remove(readPath(in), StateCodec.readTallies(in, true));
      case 8 -> new Change.Restore(readPath(in));
      case 9 ->
          new Change.Assign(
              readUnit(in),
              JsonCodec.read(in),
              readAncestors(in),
              Optional.of(SumHistoryCodec.read(in)));
      default -> throw new DamagedException("no change is of kind " + kind);
    };
  }

  static void write(ByteWriter out, Splice splice) {
    out.varint(splice.position()).varint(splice.deleted());
    JsonCodec.write(out, splice.inserted());
  }

  static List<Splice> readSplices(ByteReader in) {
    int size = in.count();
    List<Splice> splices = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      splices.add(new Splice((int) in.varint(), (int) in.varint(), JsonCodec.read(in)));
    }
    return splices;
  }

  static void writeAncestors(ByteWriter out, List<Ancestor> ancestors) {
    out.varint(ancestors.size());
    for (Ancestor ancestor : ancestors) {
      out.varint(ancestor.dots().size());
      ancestor.dots().forEach(dot -> CausalCodec.write(out, dot));
      JsonCodec.write(out.text(ancestor.author()), ancestor.value());
    }
  }

  static List<Ancestor> readAncestors(ByteReader in) {
    int size = in.count();
    List<Ancestor> ancestors = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      int count = in.count();
      var dots = new ArrayList<dev.entente.core.causality.Dot>(count);
      for (int j = 0; j < count; j++) {
        dots.add(CausalCodec.readDot(in));
      }
      ancestors.add(new Ancestor(dots, in.text(), JsonCodec.read(in)));
    }
    return ancestors;
  }

  static void write(ByteWriter out, Unit unit) {
    write(out.u8(unit.isGroup() ? 1 : 0), unit.path());
  }

  static Unit readUnit(ByteReader in) {
    boolean group = in.u8() == 1;
    return new Unit(group ? Unit.Kind.GROUP : Unit.Kind.FIELD, readPath(in));
  }

  static void write(ByteWriter out, Path path) {
    out.varint(path.depth());
    path.names().forEach(out::text);
  }

  static Path readPath(ByteReader in) {
    int depth = in.count();
    List<String> names = new ArrayList<>(depth);
    for (int i = 0; i < depth; i++) {
      names.add(in.text());
    }
    return depth == 0 ? Path.ROOT : new Path(names);
  }

  private static void list(ByteWriter out, List<Json> items) {
    out.varint(items.size());
    items.forEach(item -> JsonCodec.write(out, item));
  }

  private static List<Json> list(ByteReader in) {
    int size = in.count();
    List<Json> items = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      items.add(JsonCodec.read(in));
    }
    return items;
  }
}
