// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A write with the hashes by which it is known again. They depend on the request alone, so they are
 * computed once, by the thread that brings it and not by the one that orders all writes.
 *
 * @param origin who sent it and what it asks; empty where it bears no id
 * @param answer where its answer is kept; empty where it bears no id
 */
record IdentifiedRequest(
    WriteRequest request, Optional<Origin> origin, Optional<Answers.Place> answer) {

  static IdentifiedRequest of(WriteRequest request) {
    return of(request, RequestHash.origin(request));
  }

  private static IdentifiedRequest of(WriteRequest request, Optional<Origin> origin) {
    return new IdentifiedRequest(
        request, origin, origin.flatMap(known -> Answers.place(request, known)));
  }

  /** Each by itself. */
  static List<IdentifiedRequest> each(List<WriteRequest> requests) {
    List<IdentifiedRequest> identified = new ArrayList<>(requests.size());
    RequestHash.Senders senders = new RequestHash.Senders();
    for (WriteRequest request : requests) {
      identified.add(of(request, RequestHash.origin(request, senders)));
    }
    return identified;
  }

  /** Requests that hold together or not at all. */
  static List<IdentifiedRequest> together(List<WriteRequest> requests) {
    return each(RequestHash.together(requests));
  }
}
