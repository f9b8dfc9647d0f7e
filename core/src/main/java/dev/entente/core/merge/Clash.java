// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.Path;

/**
 * Where two sides changed the same thing differently: its path below the merged value, the value
 * they replaced, and theirs.
 */
public record Clash(Path path, Json base, Json left, Json right) {}
