/** A tar archive (ustar) of these files; a value of null is a folder. */
export function tarOf(files: Readonly<Record<string, string | null>>): Buffer {
  const parts = Object.entries(files).map(([name, text]) => entry(name, text));
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function entry(name: string, text: string | null): Buffer {
  const body = Buffer.from(text ?? '');
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(text === null ? '5' : '0', 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
