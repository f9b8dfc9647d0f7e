// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.Version;

/**
 * A version in the feed of changes.
 *
 * @param position the cursor behind it
 */
public record Feed(long position, Version version) {}
