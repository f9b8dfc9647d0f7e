// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Digest;
import dev.entente.engine.Review;
import dev.entente.engine.Shipment;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.VersionIndex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Requests and replies between nodes as bytes, format 1; see the formats in the documentation. What
 * comes from a peer is bounded and checked like anything that comes from outside.
 */
public final class Wire {
  /** The media type of both. */
  public static final String MEDIA_TYPE = "application/vnd.entente.replication";

  /** How large a request may be. */
  public static final int REQUEST_BYTES_MAX = 1 << 20;

  /** How large a reply may be, as it travels and unpacked. */
  public static final int REPLY_BYTES_MAX = 64 << 20;

  private static final int FORMAT = 1;
  private static final int PLAIN = 0;
  private static final int DEFLATED = 1;
  private static final int DEFLATE_FROM_BYTES = 512;
  private static final int MEMBERS_MAX = Members.MAX;
  private static final int NODES_MAX = 10_000;

  private Wire() {}

  public static byte[] toBytes(PullRequest request) {
    ByteWriter out = new ByteWriter().text(request.from().value());
    out.text(request.to().map(NodeId::value).orElse(""));
    out.varint(request.after());
    CausalCodec.write(out, request.known());
    out.varint(request.bytesMax()).varint(request.waitMillis()).varint(request.sentAtMillis());
    write(out, request.members());
    out.u8(request.policies() ? 1 : 0);
    return packed(out.toBytes());
  }

  /**
   * Reads a request.
   *
   * @throws DamagedException where it is none that this release reads
   */
  public static PullRequest request(byte[] bytes) {
    return read(
        bytes,
        REQUEST_BYTES_MAX,
        in -> {
          NodeId from = new NodeId(in.text());
          String to = in.text();
          return new PullRequest(
              from,
              to.isEmpty() ? Optional.empty() : Optional.of(new NodeId(to)),
              number(in),
              vector(in),
              (int) Math.min(Integer.MAX_VALUE, number(in)),
              number(in),
              number(in),
              members(in),
              in.u8() == 1);
        });
  }

  public static byte[] toBytes(PullReply reply) {
    Shipment shipment = reply.shipment();
    ByteWriter out = new ByteWriter(1 << 12).text(shipment.from().value());
    out.varint(reply.position());
    out.varint(reply.receivedAtMillis()).varint(reply.sentAtMillis());
    write(out, reply.members());
    writeLinks(out, reply.links());
    out.u8(reply.standing().isPresent() ? 1 : 0).text(reply.standing().orElse(""));
    out.varint(shipment.after()).varint(shipment.upTo()).u8(shipment.complete() ? 1 : 0);
    CausalCodec.write(out, shipment.known());
    out.varint(shipment.entries().size());
    long last = shipment.after();
    for (Shipment.Entry entry : shipment.entries()) {
      out.varint(entry.position() - last).varint(entry.version().length).raw(entry.version());
      last = entry.position();
    }
    out.u64(reply.policiesHash());
    out.varint(reply.policies().size());
    reply.policies().forEach(policy -> policy.write(out));
    if (!reply.removals().isEmpty()) {
      // Releases that do not know them read replies without.
      Removals.write(out, reply.removals());
    }
    return packed(out.toBytes());
  }

  /**
   * Reads a reply.
   *
   * @throws DamagedException where it is none that this release reads
   */
  public static PullReply reply(byte[] bytes) {
    return read(
        bytes,
        REPLY_BYTES_MAX,
        in -> {
          NodeId from = new NodeId(in.text());
          long position = number(in);
          long received = number(in);
          long sent = number(in);
          List<Member> members = members(in);
          List<LinkReport> links = links(in);
          boolean votes = in.u8() == 1;
          String told = in.text();
          Optional<String> standing = votes ? Optional.of(told) : Optional.empty();
          long after = number(in);
          long upTo = number(in);
          boolean complete = in.u8() == 1;
          VersionVector known = vector(in);
          int size = in.count();
          List<Shipment.Entry> entries = new ArrayList<>(Math.min(size, 10_000));
          long last = after;
          for (int i = 0; i < size; i++) {
            last += number(in);
            entries.add(new Shipment.Entry(last, in.raw(in.count())));
          }
          Shipment shipment = new Shipment(from, after, entries, upTo, complete, known);
          long hash = in.u64();
          List<StampedPolicy> policies = policies(in);
          List<Removal> removals = in.atEnd() ? List.of() : Removals.read(in);
          return new PullReply(
              shipment, position, received, sent, members, links, standing, hash, policies,
              removals);
        });
  }

  public static byte[] toBytes(Digest digest) {
    ByteWriter out = new ByteWriter(1 << 12);
    CausalCodec.write(out, digest.known());
    digest.buckets().forEach(out::u64);
    return packed(out.varint(digest.records()).toBytes());
  }

  /** Reads a digest. */
  public static Digest digest(byte[] bytes) {
    return read(
        bytes,
        REPLY_BYTES_MAX,
        in -> {
          VersionVector known = vector(in);
          List<Long> buckets = new ArrayList<>();
          for (int i = 0; i < Digest.BUCKETS; i++) {
            buckets.add(in.u64());
          }
          return new Digest(known, buckets, number(in));
        });
  }

  /** What a node has, in bytes. */
  public static byte[] toBytes(VersionVector known) {
    ByteWriter out = new ByteWriter();
    CausalCodec.write(out, known);
    return out.toBytes();
  }

  /**
   * Reads what a node has.
   *
   * @throws DamagedException where the bytes are no vector
   */
  public static VersionVector vector(byte[] bytes) {
    try {
      return ByteReader.readAll(bytes, Wire::vector);
    } catch (IllegalArgumentException e) {
      throw new DamagedException(String.valueOf(e.getMessage()));
    }
  }

  /** The records of a bucket as bytes. */
  public static byte[] bucketToBytes(List<Digest.Entry> entries) {
    ByteWriter out = new ByteWriter(1 << 12).varint(entries.size());
    for (Digest.Entry entry : entries) {
      RecordKey key = entry.key();
      out.text(key.tenant()).text(key.type()).text(key.id()).u64(entry.hash());
      CausalCodec.write(out, entry.context());
    }
    return packed(out.toBytes());
  }

  /** Reads the records of a bucket. */
  public static List<Digest.Entry> bucket(byte[] bytes) {
    return read(
        bytes,
        REPLY_BYTES_MAX,
        in -> {
          List<Digest.Entry> entries = new ArrayList<>();
          for (int i = in.count(); i > 0; i--) {
            RecordKey key = new RecordKey(in.name(), in.name(), in.name());
            long hash = in.u64();
            entries.add(new Digest.Entry(key, vector(in), hash));
          }
          return entries;
        });
  }

  /** Versions as bytes. */
  public static byte[] versionsToBytes(List<byte[]> versions) {
    ByteWriter out = new ByteWriter(1 << 12).varint(versions.size());
    versions.forEach(version -> out.varint(version.length).raw(version));
    return packed(out.toBytes());
  }

  /** Reads versions. */
  public static List<byte[]> versions(byte[] bytes) {
    return read(
        bytes,
        REPLY_BYTES_MAX,
        in -> {
          List<byte[]> versions = new ArrayList<>();
          for (int i = in.count(); i > 0; i--) {
            versions.add(in.raw(in.count()));
          }
          return versions;
        });
  }

  /** Reviews on which votes are held, as bytes. */
  public static byte[] pollsToBytes(List<Review> polls) {
    return JsonCodec.toBytes(Json.of(polls.stream().map(Review::toJson).toList()));
  }

  /**
   * Reads reviews on which votes are held.
   *
   * @throws DamagedException where the bytes are none
   */
  public static List<Review> polls(byte[] bytes) {
    try {
      List<Review> polls = new ArrayList<>();
      if (JsonCodec.fromBytes(bytes) instanceof JsonArray(List<Json> items)) {
        items.forEach(item -> polls.add(Review.fromJson(item)));
        return polls;
      }
    } catch (IllegalArgumentException | ClassCastException | ArithmeticException e) {
      throw new DamagedException("what is no open vote: " + e.getMessage());
    }
    throw new DamagedException("votes come as a list");
  }

  /** Sums of stretches as bytes; see {@link VersionIndex#sums}. */
  public static byte[] sumsToBytes(List<Long> sums) {
    ByteWriter out = new ByteWriter(1 << 12).varint(sums.size());
    sums.forEach(out::u64);
    return packed(out.toBytes());
  }

  /** Reads sums of stretches. */
  public static List<Long> sums(byte[] bytes) {
    return read(
        bytes,
        REPLY_BYTES_MAX,
        in -> {
          List<Long> sums = new ArrayList<>();
          for (int i = in.count(); i > 0; i--) {
            sums.add(in.u64());
          }
          return sums;
        });
  }

  /** Entries of the index of versions as bytes. */
  public static byte[] toBytes(VersionIndex.Entries entries) {
    ByteWriter out = new ByteWriter(1 << 12).varint(entries.prunedUpTo());
    out.varint(entries.entries().size());
    entries
        .entries()
        .forEach(entry -> out.varint(entry.number()).u64(entry.hash()).u8(entry.refused() ? 1 : 0));
    return packed(out.toBytes());
  }

  /** Reads entries of the index of versions. */
  public static VersionIndex.Entries entries(byte[] bytes) {
    return read(
        bytes,
        REPLY_BYTES_MAX,
        in -> {
          long prunedUpTo = number(in);
          List<VersionIndex.Entry> entries = new ArrayList<>();
          for (int i = in.count(); i > 0; i--) {
            entries.add(new VersionIndex.Entry(number(in), in.u64(), in.u8() != 0));
          }
          return new VersionIndex.Entries(prunedUpTo, entries);
        });
  }

  private static void write(ByteWriter out, List<Member> members) {
    out.varint(members.size());
    for (Member member : members) {
      out.text(member.node().value()).text(member.url()).varint(member.stampMillis());
      out.u8(member.departed() ? 1 : 0).varint(member.sinceMillis());
    }
  }

  private static List<Member> members(ByteReader in) {
    int size = in.count();
    if (size > MEMBERS_MAX) {
      throw new DamagedException("a cluster has at most " + MEMBERS_MAX + " members");
    }
    List<Member> members = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      members.add(
          new Member(new NodeId(in.text()), in.text(), number(in), in.u8() == 1, number(in)));
    }
    return members;
  }

  private static void writeLinks(ByteWriter out, List<LinkReport> links) {
    out.varint(links.size());
    for (LinkReport link : links) {
      out.text(link.peer().value()).text(link.state().label()).varint(link.behindMillis());
      out.zigzag(link.roundTripMillis()).zigzag(link.clockOffsetMillis());
    }
  }

  private static List<LinkReport> links(ByteReader in) {
    int size = in.count();
    if (size > MEMBERS_MAX) {
      throw new DamagedException("a node has at most " + MEMBERS_MAX + " links");
    }
    List<LinkReport> links = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      NodeId peer = new NodeId(in.text());
      LinkState state = LinkState.of(in.text());
      links.add(new LinkReport(peer, state, number(in), in.zigzag(), in.zigzag()));
    }
    return links;
  }

  private static List<StampedPolicy> policies(ByteReader in) {
    int size = in.count();
    List<StampedPolicy> policies = new ArrayList<>(Math.min(size, 1_000));
    for (int i = 0; i < size; i++) {
      policies.add(StampedPolicy.read(in));
    }
    return policies;
  }

  private static VersionVector vector(ByteReader in) {
    int size = in.count();
    if (size > NODES_MAX) {
      throw new DamagedException("a vector has at most " + NODES_MAX + " nodes");
    }
    Map<NodeId, Long> entries = new TreeMap<>();
    for (int i = 0; i < size; i++) {
      Dot dot = CausalCodec.readDot(in);
      entries.put(dot.node(), dot.number());
    }
    return VersionVector.of(entries);
  }

  private static long number(ByteReader in) {
    long number = in.varint();
    if (number < 0) {
      throw new DamagedException("a number is too large");
    }
    return number;
  }

  /** Reads one message out of its bytes. */
  @FunctionalInterface
  private interface Body<T> {
    T read(ByteReader in);
  }

  private static <T> T read(byte[] bytes, int bytesMax, Body<T> body) {
    try {
      ByteReader in = new ByteReader(unpacked(bytes, bytesMax));
      T message = body.read(in);
      in.expectEnd();
      return message;
    } catch (IllegalArgumentException e) {
      throw new DamagedException(String.valueOf(e.getMessage()));
    }
  }

  private static byte[] packed(byte[] body) {
    if (body.length < DEFLATE_FROM_BYTES) {
      return new ByteWriter(body.length + 2).u8(FORMAT).u8(PLAIN).raw(body).toBytes();
    }
    Deflater deflater = new Deflater(Deflater.BEST_SPEED);
    try {
      deflater.setInput(body);
      deflater.finish();
      ByteWriter out = new ByteWriter(body.length / 2 + 16).u8(FORMAT).u8(DEFLATED);
      out.varint(body.length);
      byte[] chunk = new byte[1 << 14];
      while (!deflater.finished()) {
        int length = deflater.deflate(chunk);
        out.raw(length == chunk.length ? chunk : Arrays.copyOf(chunk, length));
      }
      return out.toBytes();
    } finally {
      deflater.end();
    }
  }

  private static byte[] unpacked(byte[] bytes, int bytesMax) {
    ByteReader in = new ByteReader(bytes);
    int format = in.u8();
    if (format != FORMAT) {
      throw new DamagedException(
          "the other node speaks format " + format + "; this release speaks " + FORMAT);
    }
    if (in.u8() != DEFLATED) {
      return Arrays.copyOfRange(bytes, 2, bytes.length);
    }
    long size = in.varint();
    if (size < 0 || size > bytesMax) {
      throw new DamagedException("a message has at most " + bytesMax + " bytes");
    }
    byte[] body = new byte[(int) size];
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(in.rest());
      int length = 0;
      int more = 1;
      while (length < size && more > 0) {
        more = inflater.inflate(body, length, body.length - length);
        length += more;
      }
      if (length != size) {
        throw new DamagedException("a message ends before its size");
      }
      return body;
    } catch (DataFormatException e) {
      throw new DamagedException("a message cannot be unpacked: " + e.getMessage());
    } finally {
      inflater.end();
    }
  }
}
