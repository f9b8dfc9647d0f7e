// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.View;
import java.util.Optional;
import java.util.function.Function;

/**
 * A moment at which a write met a conflict: the write, the record as it was right after it, and how
 * the policy in force sees it.
 *
 * @param decided tells what people made of a conflict, by its id; empty where nobody decided it
 */
public record RecordedConflict(
    Version version, RecordState state, View now, Function<String, Optional<Json>> decided) {}
