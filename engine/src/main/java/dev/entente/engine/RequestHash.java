// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.engine.WriteRequest.Seen;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Hashes by which a request is known again, at every node alike: who gives out its id, and the
 * whole of what it asks. Both are SHA-256 over a sequence of length-prefixed fields and are part of
 * the format of versions.
 */
final class RequestHash {
  private static final int FORMAT = 1;

  private RequestHash() {}

  /** What a version says of the request that it is accepted for; empty where there is no id. */
  static Optional<Origin> origin(WriteRequest request) {
    return origin(request, new Senders());
  }

  /** The same for one of several requests, most of which have the same sender. */
  static Optional<Origin> origin(WriteRequest request, Senders senders) {
    return request.requestId().isPresent() || request.device().isPresent()
        ? Optional.of(new Origin(senders.of(request), whole(request)))
        : Optional.empty();
  }

  /** Hashes the sender of a request, once for requests of one sender that follow each other. */
  static final class Senders {
    private byte[] last = new byte[0];
    private @Nullable Fingerprint hash;

    Fingerprint of(WriteRequest request) {
      byte[] sender = senderOf(request);
      Fingerprint known = hash;
      if (known == null || !Arrays.equals(sender, last)) {
        known = Fingerprint.of(Hashes.of(sender));
        hash = known;
        last = sender;
      }
      return known;
    }
  }

  /**
   * Who gives out the request's ids. A device is told by its name only together with the author and
   * the credential that vouch for it; without a name the credential gives out ids itself.
   */
  private static byte[] senderOf(WriteRequest request) {
    ByteWriter out = new ByteWriter(128).u8(FORMAT);
    out.text(request.key().tenant()).text(request.sender().credential());
    if (request.device().isPresent()) {
      out.text("d").text(request.device().get()).text(request.author());
    } else {
      // An event and a write over HTTP may bear the same id.
      out.text(request.requestId().map(id -> id.substring(0, 1)).orElse(""));
    }
    return out.toBytes();
  }

  /** All that a request asks; an event that is sent again may say that more has been seen since. */
  static Fingerprint whole(WriteRequest request) {
    ByteWriter out = new ByteWriter().u8(FORMAT);
    out.text(request.key().tenant()).text(request.key().type()).text(request.key().id());
    out.text(request.author()).text(request.note()).text(request.sender().batch());
    write(out, request.seen());
    out.u8(request.at().isPresent() ? 1 : 0);
    request.at().ifPresent(at -> out.varint(at.packed()));
    JsonCodec.write(out, request.base().orElse(JsonAbsent.ABSENT));
    write(out, request.edit());
    return Fingerprint.of(Hashes.of(out.toBytes()));
  }

  /** Requests that hold together; under one id, none is the same beside others than these. */
  static List<WriteRequest> together(List<WriteRequest> requests) {
    if (requests.stream().allMatch(request -> request.requestId().isEmpty())) {
      return requests;
    }
    ByteWriter all = new ByteWriter().u8(FORMAT).varint(requests.size());
    requests.forEach(request -> all.raw(whole(request).toBytes()));
    String batch = Hashes.hex(all.toBytes());
    return requests.stream().map(request -> request.within(batch)).toList();
  }

  private static void write(ByteWriter out, Seen seen) {
    switch (seen) {
      case Seen.Everything() -> out.u8(0);
      // A device repeats an event with the context that it has by then.
      case Seen.Nothing(), Seen.Context _ -> out.u8(1);
      case Seen.Exactly(var context) -> CausalCodec.write(out.u8(2), context);
      case Seen.Existing() -> out.u8(3);
      case Seen.Rollback(List<Competing> pending) -> {
        out.u8(4).varint(pending.size());
        pending.forEach(competing -> write(out, competing));
      }
      case Seen.Absence() -> out.u8(5);
    }
  }

  private static void write(ByteWriter out, Competing competing) {
    out.text(competing.unit().label()).u8(competing.recordLevel() ? 1 : 0);
    out.varint(competing.values().size());
    competing.values().forEach(value -> JsonCodec.write(out, value));
  }

  private static void write(ByteWriter out, Edit edit) {
    switch (edit) {
      case Edit.Put(var document) -> JsonCodec.write(out.u8(0), document);
      case Edit.MergePatch(Json patch) -> JsonCodec.write(out.u8(1), patch);
      case Edit.JsonPatch(List<Json> operations) -> {
        out.u8(2).varint(operations.size());
        operations.forEach(operation -> JsonCodec.write(out, operation));
      }
      case Edit.Operations(List<Edit.Operation> operations) -> {
        out.u8(3).varint(operations.size());
        operations.forEach(operation -> write(out, operation));
      }
      case Edit.Delete() -> out.u8(4);
      case Edit.Erase() -> out.u8(5);
    }
  }

  private static void write(ByteWriter out, Edit.Operation operation) {
    out.varint(operation.path().depth());
    operation.path().names().forEach(out::text);
    switch (operation) {
      case Edit.Operation.Increment(_, long by) -> out.u8(0).zigzag(by);
      case Edit.Operation.Give(_, var to, long amount) -> out.u8(1).text(to.value()).varint(amount);
      case Edit.Operation.EditSet(_, var add, var remove) -> {
        out.u8(2).varint(add.size());
        add.forEach(element -> JsonCodec.write(out, element));
        out.varint(remove.size());
        remove.forEach(element -> JsonCodec.write(out, element));
      }
      case Edit.Operation.Splice(_, var splice) -> {
        out.u8(3).varint(splice.position()).varint(splice.deleted());
        JsonCodec.write(out, splice.inserted());
      }
      case Edit.Operation.Set(_, Json value) -> JsonCodec.write(out.u8(4), value);
    }
  }
}
