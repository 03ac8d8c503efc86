ALTER TABLE raw_event DROP PARTITION ID {day:String}
