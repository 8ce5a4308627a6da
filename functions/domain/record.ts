/** The part of a record that is the vendor's to fill. */
export interface RecordBody {
  readonly timestamp: number
}
